/** What goes through a graph of sound, as chunks of 16 kHz samples. */

import { SAMPLE_RATE } from '../lib/limits.js';

const WORKLET_URL = new URL('./capture-worklet.js', import.meta.url);

/**
 * Hangs a capture worklet behind `source`; it runs in silence, since only what leads to the
 * destination is run everywhere.
 *
 * @param {BaseAudioContext} context @param {AudioNode} source
 * @param {number} chunkSize samples at 16 kHz
 * @param {{AudioWorkletNode: typeof AudioWorkletNode, GainNode: typeof GainNode}} [browser]
 * @returns {Promise<AudioWorkletNode>} see capture-worklet.js for its messages
 */
export async function createCaptureNode(context, source, chunkSize, browser = globalThis) {
  await context.audioWorklet.addModule(WORKLET_URL);
  const node = new browser.AudioWorkletNode(context, 'capture', {
    channelCount: 1,
    channelCountMode: 'explicit',
    channelInterpretation: 'speakers',
    processorOptions: { chunkSize, inputRate: context.sampleRate, outputRate: SAMPLE_RATE },
  });
  const silence = new browser.GainNode(context, { gain: 0 });
  source.connect(node).connect(silence).connect(context.destination);
  return node;
}
