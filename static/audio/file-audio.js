/** Any sound file the browser can read, as 16 kHz mono samples. */

import { Failure } from '../lib/failure.js';
import {
  MAX_AUDIO_FILE_BYTES,
  MAX_AUDIO_S,
  MAX_DECODED_AUDIO_S,
  SAMPLE_RATE,
} from '../lib/limits.js';
import { clampSamples, mixToMono } from '../lib/pcm.js';

const SPARE_FACTOR = 2; // for files whose beginning takes more bytes than the rest
const MAX_DECODED_BYTES = 300_000_000;

/**
 * An offline context decodes and resamples in one step and needs no gesture.
 *
 * @param {File} file
 * @param {typeof OfflineAudioContext} Context
 * @returns {Promise<{samples: Float32Array, shortened: boolean}>} @throws {Failure}
 */
export async function decodeAudioFile(file, Context = globalThis.OfflineAudioContext) {
  refuseBeyond(MAX_AUDIO_FILE_BYTES, file);
  if ((await lengthOf(file)) > MAX_DECODED_AUDIO_S) throw tooLong(file);
  return beginningOf(await decode(file, file.name, Context), MAX_AUDIO_S);
}

/**
 * The beginning of a file that may be much longer: of such a file only the first bytes are read.
 * Some formats keep at their end what is needed to read them; they are decoded as a whole, unless
 * they would fill the memory.
 *
 * @param {File} file @param {{durationS: number, limitS: number}} length of the file, and wanted
 * @param {typeof OfflineAudioContext} [Context]
 * @returns {Promise<{samples: Float32Array, shortened: boolean}>} @throws {Failure}
 */
export async function decodeBeginning(
  file,
  { durationS, limitS },
  Context = globalThis.OfflineAudioContext,
) {
  const bytes = Math.ceil(((SPARE_FACTOR * limitS) / durationS) * file.size);
  if (bytes < file.size && bytes <= MAX_DECODED_BYTES) {
    const decoded = await decode(file.slice(0, bytes), file.name, Context).catch(() => null);
    if (decoded !== null && decoded.length >= limitS * SAMPLE_RATE) return beginningOf(decoded, limitS);
  }
  refuseBeyond(MAX_DECODED_BYTES, file);
  if (durationS > MAX_DECODED_AUDIO_S) throw tooLong(file);
  return beginningOf(await decode(file, file.name, Context), limitS);
}

function refuseBeyond(bytes, { name, size }) {
  if (size <= bytes) return;
  throw new Failure('file_too_large', { params: { name, megabytes: bytes / 1e6 } });
}

function tooLong({ name }) {
  return new Failure('audio_too_long', { params: { name, minutes: MAX_DECODED_AUDIO_S / 60 } });
}

function beginningOf(decoded, limitS) {
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, index) =>
    decoded.getChannelData(index).subarray(0, limitS * SAMPLE_RATE),
  );
  const samples = clampSamples(mixToMono(channels));
  return { samples, shortened: decoded.length > samples.length };
}

async function decode(blob, name, Context) {
  try {
    return await new Context(1, 1, SAMPLE_RATE).decodeAudioData(await blob.arrayBuffer());
  } catch (error) {
    throw new Failure('file_unreadable', { params: { name }, cause: error });
  }
}

/** What the file says of itself, in seconds; decoding hours of sound would end the page. */
async function lengthOf(file) {
  if (globalThis.Audio === undefined || !(file instanceof Blob)) return 0;
  const url = URL.createObjectURL(file);
  const audio = new Audio();
  const known = new Promise((resolve) => {
    audio.onloadedmetadata = () => resolve(audio.duration);
    audio.onerror = () => resolve(0); // decoding will tell
  });
  audio.src = url;
  const durationS = await known;
  URL.revokeObjectURL(url);
  return Number.isFinite(durationS) ? durationS : 0;
}
