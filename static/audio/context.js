/** Audio contexts for capture. Create them inside a click, or browsers keep them suspended. */

import { SAMPLE_RATE } from '../lib/limits.js';

/**
 * A context with a source node for the stream: at 16 kHz where the browser resamples, otherwise at
 * the stream's own rate (Firefox refuses to mix rates).
 *
 * @param {MediaStream} stream
 * @param {typeof AudioContext} Context
 * @returns {{context: AudioContext, source: MediaStreamAudioSourceNode}}
 */
export function openCaptureContext(stream, Context = globalThis.AudioContext) {
  const context = new Context({ sampleRate: SAMPLE_RATE });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch (error) {
    context.close();
    if (error.name !== 'NotSupportedError') throw error;
    const fallback = new Context();
    return { context: fallback, source: fallback.createMediaStreamSource(stream) };
  }
}
