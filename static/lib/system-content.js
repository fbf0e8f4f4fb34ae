/**
 * What the model is told before a conversation: texts and voices in order.
 *
 * An item is {type: 'text', text} | {type: 'audio', data, name, durationS}; `data` is base64 of
 * 16 kHz samples, null until a voice has been chosen.
 */

import { MAX_VOICE_S } from './limits.js';

export const MAX_CONTENT_ITEMS = 64;
export const MAX_CONTENT_CHARACTERS = 8000;

/** @returns {object[]} deep copies */
export function copyItems(items) {
  return items.map((item) => ({ ...item }));
}

/** @returns {object[]} what there is to say, without what is still empty */
export function filledItems(items) {
  return items
    .map((item) => (item.type === 'text' ? { ...item, text: item.text.trim() } : { ...item }))
    .filter((item) => (item.type === 'text' ? item.text !== '' : item.data !== null));
}

/** @returns {object[]} filled items with nothing but what the wire needs */
export function wireItems(items) {
  return items.map(({ type, text, data }) => (type === 'text' ? { type, text } : { type, data }));
}

/**
 * The voice that answers take from the content: it has to hold exactly one, and not a long one.
 * @returns {{data: ?string, reason: ?('none' | 'several' | 'long')}} `reason`: why there is none
 */
export function voiceIn(items) {
  const voices = filledItems(items).filter(({ type }) => type === 'audio');
  if (voices.length === 0) return { data: null, reason: 'none' };
  if (voices.length > 1) return { data: null, reason: 'several' };
  const [{ data, durationS }] = voices;
  return durationS > MAX_VOICE_S ? { data: null, reason: 'long' } : { data, reason: null };
}
