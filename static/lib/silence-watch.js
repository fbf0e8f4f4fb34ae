/**
 * Notices a microphone that has given nothing at all since it was opened, as one that is switched
 * off or not the one that is spoken into. Once it was heard, its silence means that nobody speaks.
 */

import { SAMPLE_RATE } from './limits.js';

const LIMIT_SAMPLES = 8 * SAMPLE_RATE;
const NOTHING = 1e-4; // -80 dB: even a quiet room is louder

export class SilenceWatch {
  #samples = 0;
  #over = false;

  /** @param {Float32Array} samples at 16 kHz @returns {boolean} true once, when it is clear */
  push(samples) {
    if (this.#over) return false;
    this.#samples += samples.length;
    const heard = samples.some((sample) => Math.abs(sample) > NOTHING);
    this.#over = heard || this.#samples >= LIMIT_SAMPLES;
    return this.#over && !heard;
  }
}
