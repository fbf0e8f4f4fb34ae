/** What kinds of requests and modes are called; unknown ones keep the server's name. */

import { translator } from '../i18n/index.js';

/** @param {string} type @returns {{i18n: string} | string} text for a cell of a table */
export function requestTypeText(type) {
  const key = `admin.type.${type}`;
  return translator.has(key) ? { i18n: key } : type;
}

export const REQUEST_TYPES = [
  'chat',
  'streaming',
  'half_duplex_audio',
  'audio_duplex',
  'omni_duplex',
];
