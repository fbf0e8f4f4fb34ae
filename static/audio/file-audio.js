/** Any sound file the browser can read, as 16 kHz mono samples. */

import { Failure } from '../lib/failure.js';
import { MAX_AUDIO_FILE_BYTES, MAX_AUDIO_S, SAMPLE_RATE } from '../lib/limits.js';
import { clampSamples, mixToMono } from '../lib/pcm.js';

/**
 * An offline context decodes and resamples in one step and needs no gesture.
 *
 * @param {File} file
 * @param {typeof OfflineAudioContext} Context
 * @returns {Promise<{samples: Float32Array, shortened: boolean}>} @throws {Failure}
 */
export async function decodeAudioFile(file, Context = globalThis.OfflineAudioContext) {
  if (file.size > MAX_AUDIO_FILE_BYTES) {
    const params = { name: file.name, megabytes: MAX_AUDIO_FILE_BYTES / 1e6 };
    throw new Failure('file_too_large', { params });
  }
  const decoded = await decode(await file.arrayBuffer(), file.name, Context);
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, index) =>
    decoded.getChannelData(index).subarray(0, MAX_AUDIO_S * SAMPLE_RATE),
  );
  const samples = clampSamples(mixToMono(channels));
  return { samples, shortened: decoded.length > samples.length };
}

async function decode(buffer, name, Context) {
  try {
    return await new Context(1, 1, SAMPLE_RATE).decodeAudioData(buffer);
  } catch (error) {
    throw new Failure('file_unreadable', { params: { name }, cause: error });
  }
}
