/** Names that nobody else chooses, made of `A–Z a–z 0–9 _`. */

const RANDOM_BYTES = 6;

/** @param {string} prefix says what is named */
export function newId(prefix) {
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES));
  const suffix = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${prefix}_${Date.now().toString(36)}_${suffix}`;
}
