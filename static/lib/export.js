/** A conversation as a file: to read, to bring back, or for programs. */

import { Conversation } from './conversation.js';
import { Failure } from './failure.js';
import { SAMPLE_RATE } from './limits.js';
import { encodeMsgpack } from './msgpack.js';
import { bytesToFloats } from './pcm.js';
import { soundOf } from './stored-conversation.js';
import { encodeWav } from './wav.js';

const FORMAT = 'minicpmo-conversation';
const VERSION = 1;
const FILE_TYPES = {
  image: /^image\/(jpeg|png|webp|gif|bmp)$/,
  audio: /^audio\/wav$/,
  video: /^video\/[\w.-]+$/,
};
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * @param {Conversation} conversation
 * @param {{you: string, model: string}} names of the two who talk
 */
export function toMarkdown({ title, turns }, { you, model }) {
  const parts = turns.flatMap(({ items, answer }) => [
    `## ${you}`,
    ...items.map((item) => (item.type === 'text' ? item.text : `*[${item.name}]*`)),
    `## ${model}`,
    answer,
  ]);
  return `${[`# ${title}`, ...parts].filter((part) => part !== '').join('\n\n')}\n`;
}

/** All of it but the sound of answers; `fromJson` brings it back. */
export function toJson({ title, createdMs, turns }) {
  const messages = turns.flatMap(({ items, answer, state }) => [
    { role: 'user', content: items.map(jsonItem) },
    { role: 'assistant', content: [{ type: 'text', text: answer }], state },
  ]);
  const created = new Date(createdMs).toISOString();
  return `${JSON.stringify({ format: FORMAT, version: VERSION, title, created, messages }, null, 1)}\n`;
}

/**
 * Files as bytes: sound as 16-bit WAV, pictures and videos as they are.
 * @param {Conversation} conversation
 * @param {(item: object) => Uint8Array} bytesOf what goes on the wire for an item
 */
export function toMsgpack({ turns }, bytesOf) {
  const messages = turns.flatMap((turn) => [
    { role: 'user', content: turn.items.map((item) => packedItem(item, bytesOf)) },
    { role: 'assistant', content: packedAnswer(turn) },
  ]);
  return encodeMsgpack({ messages });
}

/**
 * @param {string} text of a file that `toJson` wrote
 * @param {(facts: object, item: object) => object} itemOf makes an item with a URL from a kept one
 * @returns {Conversation} @throws {Failure} for anything else
 */
export function fromJson(text, itemOf) {
  const messages = messagesIn(text);
  const conversation = new Conversation();
  for (const { role, content, state } of messages) {
    if (role === 'user') {
      conversation.ask(content.map((item) => readItem(item, itemOf))).state = 'interrupted';
    } else {
      const { last } = conversation;
      last.answer = content.map((item) => item.text).join('');
      last.state = state === 'complete' ? state : 'interrupted';
    }
  }
  return conversation;
}

function jsonItem({ type, text, data, mime, name, width, height, durationS }) {
  return type === 'text' ? { type, text } : { type, data, mime, name, width, height, durationS };
}

function packedItem(item, bytesOf) {
  if (item.type === 'text') return { type: 'text', text: item.text };
  if (item.type === 'audio') {
    const audio = encodeWav(bytesToFloats(bytesOf(item)), SAMPLE_RATE);
    return { type: 'audio', audio, format: 'wav' };
  }
  return { type: item.type, [item.type]: bytesOf(item), format: item.mime.split('/')[1] };
}

function packedAnswer(turn) {
  const audio = soundOf(turn);
  const text = { type: 'text', text: turn.answer };
  return audio === null ? [text] : [text, { type: 'audio', audio, format: 'wav' }];
}

function messagesIn(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new Failure('import_failed', { cause: error });
  }
  const messages = file?.format === FORMAT && file.version === VERSION && file.messages;
  const valid = Array.isArray(messages) && messages.length > 0 && messages.every(isMessage);
  const alternating = valid && messages.every(({ role }, index) => {
    const before = messages[index - 1]?.role;
    return role === 'user' || before === 'user';
  });
  if (!alternating) throw new Failure('import_failed');
  return messages;
}

function isMessage(message) {
  const { role, content } = message ?? {};
  if (!Array.isArray(content)) return false;
  if (role === 'assistant') return content.every(isText);
  return role === 'user' && content.every((item) => isText(item) || isFile(item));
}

function isText(item) {
  return item?.type === 'text' && typeof item.text === 'string';
}

function isFile(item) {
  const known = Object.hasOwn(FILE_TYPES, item?.type) && FILE_TYPES[item.type].test(item.mime);
  return known && typeof item.name === 'string' && BASE64.test(item.data);
}

function readItem(item, itemOf) {
  if (item.type === 'text') return { type: 'text', text: item.text };
  const { data, ...facts } = jsonItem(item);
  try {
    return itemOf(facts, data);
  } catch (error) {
    throw new Failure('import_failed', { cause: error });
  }
}
