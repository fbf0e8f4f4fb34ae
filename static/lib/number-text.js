/** Sizes and times as text that reads the same in every language. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** @param {number} bytes @returns {string} such as 1.5 MiB */
export function sizeText(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit > 0 && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** @param {?string} stamp ISO 8601 @returns {string} to the second, as the server's clock has it */
export function stampText(stamp) {
  return stamp === null ? '–' : stamp.slice(0, 19).replace('T', ' ');
}

/** @param {?string} stamp ISO 8601 @returns {string} its time of day */
export function stampTime(stamp) {
  return stamp === null ? '–' : stamp.slice(11, 19);
}

/** @param {number} ms since 1970 @returns {string} the time of day here */
export function timeOfDay(ms) {
  const date = new Date(ms);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
