/**
 * Runs on the audio thread: collects one mono input into chunks of 16 kHz samples.
 *
 * The input passes to the output unchanged. Commands in: start, stop (posts what is left with
 * `final`, then ends), flush (posts what is left), mute {on} (keeps the cadence with silence).
 * Messages out: {type: 'chunk', audio, final, seq, startFrame, startS}; startFrame counts output
 * samples, also those that a later start dropped; startS: when it began, on the context's clock.
 *
 * Messages copy the sound. Handing it over would leave four times as much garbage on the audio
 * thread, 1.1 MB in each minute of a call, which Chromium collects after ten minutes or more.
 */

import { ChunkBuffer } from '../lib/chunk-buffer.js';
import { clampSamples } from '../lib/pcm.js';
import { Resampler } from '../lib/resampler.js';

class CaptureProcessor extends AudioWorkletProcessor {
  #buffer;
  #resampler;
  #state = 'idle';
  #muted = false;
  #sequence = 0;
  #startFrame = 0;
  #startS = null;

  constructor({ processorOptions: { chunkSize, inputRate, outputRate } }) {
    super();
    this.#resampler = inputRate === outputRate ? null : new Resampler(inputRate, outputRate);
    this.#buffer = new ChunkBuffer(chunkSize, (chunk) => this.#post(chunk, false));
    this.port.onmessage = ({ data }) => this.#command(data);
  }

  /** A source that has ended counts as silence, so that the chunks keep coming. */
  process([input], [output]) {
    const samples = input[0] ?? new Float32Array(output[0].length);
    output[0].set(samples);
    if (this.#state === 'running') this.#collect(samples);
    return this.#state !== 'ended';
  }

  #collect(samples) {
    const heard = this.#muted ? new Float32Array(samples.length) : samples;
    this.#buffer.push(this.#resampler?.process(heard) ?? heard);
  }

  #command({ type, on }) {
    if (type === 'start') {
      this.#startFrame += this.#buffer.take().length;
      this.#startS ??= currentTime;
      this.#state = 'running';
    } else if (type === 'mute') {
      this.#muted = on;
    } else if (type === 'flush') {
      this.#post(this.#buffer.take(), false);
    } else if (type === 'stop') {
      this.#state = 'ended';
      this.#post(this.#buffer.take(), true);
    }
  }

  #post(chunk, final) {
    const audio = clampSamples(chunk);
    const [seq, startFrame, startS] = [this.#sequence, this.#startFrame, this.#startS];
    this.#sequence += 1;
    this.#startFrame += audio.length;
    this.port.postMessage({ type: 'chunk', audio, final, seq, startFrame, startS });
  }
}

registerProcessor('capture', CaptureProcessor);
