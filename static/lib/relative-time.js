/** How long ago something was, in words. */

const STEPS = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** @param {number} thenMs @param {number} nowMs @param {string} language @returns {string} */
export function relativeTime(thenMs, nowMs, language) {
  const elapsedS = Math.max(0, (nowMs - thenMs) / 1000);
  const [unit, lengthS] = STEPS.find(([, stepS]) => elapsedS >= stepS) ?? ['second', Infinity];
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  return format.format(-Math.floor(elapsedS / lengthS), unit);
}
