/** A conversation as the history keeps it: plain data, with its files beside it. */

import { Conversation } from './conversation.js';
import { newId } from './ids.js';
import { SPEECH_SAMPLE_RATE } from './limits.js';
import { joinSamples } from './pcm.js';
import { encodeWav } from './wav.js';

/**
 * @param {Conversation} conversation
 * @param {(item: object) => Uint8Array} bytesOf what goes on the wire for an item
 * @returns {{record: object, files: Map<string, () => Uint8Array>}} for HistoryDb#save
 */
export function toRecord(conversation, bytesOf) {
  const files = new Map();
  const { id, revision, createdMs, title } = conversation;
  const turns = conversation.turns.map((turn) => {
    const { answer, cut, state, facts } = turn;
    const items = turn.items.map((item) => keepItem(item, files, bytesOf));
    return { items, answer, cut, state, facts, sound: keepSound(turn, files) };
  });
  return { record: { id, revision, createdMs, updatedMs: Date.now(), title, turns }, files };
}

/**
 * @param {object} record @param {Map<string, Uint8Array>} files
 * @param {(facts: object, bytes: Uint8Array) => object} itemOf an item from what was kept of it
 * @param {(bytes: Uint8Array, mime: string) => string} urlOf of a sound
 * @returns {Conversation}
 */
export function fromRecord(record, files, itemOf, urlOf) {
  const { id, revision, createdMs } = record;
  const conversation = Object.assign(new Conversation(), { id, revision, createdMs });
  conversation.turns = record.turns.map((turn) => ({
    ...turn,
    state: turn.state === 'pending' ? 'interrupted' : turn.state,
    items: turn.items.map((item) => restoreItem(item, files, itemOf)),
    sound: turn.sound && restoreSound(turn.sound, files, urlOf),
  }));
  return conversation;
}

/** @returns {?Uint8Array} the WAV file of a spoken answer */
export function soundOf(turn) {
  if (turn.sound) return turn.sound.bytes;
  return turn.soundParts ? encodeWav(joinSamples(turn.soundParts), SPEECH_SAMPLE_RATE) : null;
}

/** @param {Map<string, () => Uint8Array>} files gets the bytes of the item @returns {object} the rest */
export function keepItem(item, files, bytesOf) {
  if (item.type === 'text') return { type: 'text', text: item.text };
  item.file ??= newId('file');
  files.set(item.file, () => bytesOf(item));
  const { type, mime, name, width, height, durationS, file } = item;
  return { type, mime, name, width, height, durationS, file };
}

/** @returns {object} the item that `keepItem` kept */
export function restoreItem(item, files, itemOf) {
  if (item.type === 'text') return item;
  return { ...itemOf(item, files.get(item.file)), file: item.file };
}

/** Only once it is complete. */
function keepSound(turn, files) {
  if (turn.state === 'pending' || (!turn.sound && !turn.soundParts)) return null;
  turn.soundFile ??= turn.sound?.file ?? newId('file');
  files.set(turn.soundFile, () => soundOf(turn));
  return { file: turn.soundFile };
}

function restoreSound({ file }, files, urlOf) {
  const bytes = files.get(file);
  const { byteLength } = bytes;
  return { file, bytes, url: urlOf(bytes, 'audio/wav'), durationS: byteLength / 2 / SPEECH_SAMPLE_RATE };
}
