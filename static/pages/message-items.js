/** What a message holds beside words, made of files, of recordings, or of what was kept. */

import { decodeAudioFile } from '../audio/file-audio.js';
import { prepareImageFile } from '../image/image-file.js';
import { base64ToBytes, bytesToBase64 } from '../lib/base64.js';
import { Failure } from '../lib/failure.js';
import { MAX_VIDEO_FILE_BYTES, MAX_VIDEO_S, SAMPLE_RATE } from '../lib/limits.js';
import { bytesToFloats, floatsToBytes } from '../lib/pcm.js';
import { encodeWav } from '../lib/wav.js';
import { openMediaFile } from '../video/video-file.js';

const MAKERS = [
  ['image', /\.(jpe?g|png|webp|gif|bmp|avif|heic)$/i, imageItem],
  ['audio', /\.(wav|mp3|m4a|aac|ogg|opus|flac)$/i, soundItem],
  ['video', /\.(mp4|webm|mov|mkv)$/i, videoItem],
];

/**
 * @param {File} file
 * @param {(key: string, params: object) => void} onNews hears what was done to the file
 * @returns {Promise<object>} an item as in lib/conversation.js; its URL is the caller's to revoke
 * @throws {Failure}
 */
export async function itemOfFile(file, onNews) {
  const fits = ([type, names]) => file.type.startsWith(`${type}/`) || (!file.type && names.test(file.name));
  const [, , make] = MAKERS.find(fits) ?? [];
  if (make === undefined) throw new Failure('file_unsupported', { params: { name: file.name } });
  if (file.size === 0) throw new Failure('file_unreadable', { params: { name: file.name } });
  return make(file, onNews);
}

/** @param {Float32Array} samples at 16 kHz */
export function itemOfSamples(samples, name) {
  return {
    type: 'audio',
    data: bytesToBase64(floatsToBytes(samples)),
    mime: 'audio/wav',
    name,
    durationS: samples.length / SAMPLE_RATE,
    url: urlOf(encodeWav(samples, SAMPLE_RATE), 'audio/wav'),
  };
}

/** @returns {Uint8Array} what goes on the wire for an item that is no text */
export function bytesOfItem(item) {
  return base64ToBytes(item.data);
}

/** @param {object} facts all of an item but its data and its URL @param {Uint8Array} bytes */
export function itemOfBytes(facts, bytes) {
  if (facts.type === 'audio') return itemOfSamples(bytesToFloats(bytes), facts.name);
  return { ...facts, data: bytesToBase64(bytes), url: urlOf(bytes, facts.mime) };
}

async function imageItem(file, onNews) {
  const { blob, width, height, redrawn } = await prepareImageFile(file);
  if (redrawn) onNews('file.redrawn', { name: file.name });
  return itemOfBlob(blob, { type: 'image', name: file.name, width, height });
}

async function soundItem(file, onNews) {
  const { samples, shortened } = await decodeAudioFile(file);
  if (shortened) onNews('file.shortened', { name: file.name });
  return itemOfSamples(samples, file.name);
}

async function videoItem(file) {
  const { name } = file;
  if (file.size > MAX_VIDEO_FILE_BYTES) {
    throw new Failure('file_too_large', { params: { name, megabytes: MAX_VIDEO_FILE_BYTES / 1e6 } });
  }
  const { url, durationS } = await openMediaFile(file, document.createElement('video'));
  URL.revokeObjectURL(url);
  if (durationS > MAX_VIDEO_S) {
    throw new Failure('video_too_long', { params: { name, seconds: MAX_VIDEO_S } });
  }
  return itemOfBlob(file, { type: 'video', name, durationS });
}

async function itemOfBlob(blob, facts) {
  const data = bytesToBase64(new Uint8Array(await blob.arrayBuffer()));
  return { ...facts, mime: blob.type, data, url: URL.createObjectURL(blob) };
}

/** @param {Uint8Array | string} content @param {string} mime */
export function urlOf(content, mime) {
  return URL.createObjectURL(new Blob([content], { type: mime }));
}
