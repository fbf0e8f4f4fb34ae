/** @param {number} durationMs @returns {Promise<void>} when that time is over */
export function pause(durationMs) {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
