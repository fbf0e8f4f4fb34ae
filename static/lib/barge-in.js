/**
 * Notices that the visitor speaks into the words of the model, and how long the model then has to
 * hold its tongue.
 *
 * The model becomes quieter as soon as a voice is heard. After 300 ms of speech that goes on it is
 * interrupted, and listens until the service has said so for two chunks: the first in which it does
 * and one more. Pauses between syllables do not count as an end. No clock of its own: time is that
 * of the sound.
 *
 * Events: `duck` {on}, `interrupt` {}, `release` {}.
 */

import { Emitter } from './emitter.js';
import { EnergyVad } from './energy-vad.js';

const INTERRUPT_AFTER_MS = 300;
const SYLLABLE_GAP_MS = 150;
const LISTENS = 2; // results, until the model may speak again
const OPEN_DB = { low: 18, normal: 12, high: 8 };

export class BargeIn extends Emitter {
  #vad;
  #modelSinceMs = null;
  #overlapSinceMs = null;
  #listens = null; // since the interruption; null while there is none

  /** @param {'low' | 'normal' | 'high'} sensitivity */
  constructor(sensitivity = 'normal') {
    super();
    this.#vad = new EnergyVad({ openDb: OPEN_DB[sensitivity] });
  }

  /** Whether the model has been interrupted and is still kept silent. */
  get yielding() {
    return this.#listens !== null;
  }

  /**
   * @param {Float32Array} samples at 16 kHz @param {number} endMs when the last one was heard
   * @param {boolean} modelSpeaks at that time
   */
  push(samples, endMs, modelSpeaks) {
    this.#vad.push(samples, endMs);
    this.#modelSinceMs = modelSpeaks ? (this.#modelSinceMs ?? endMs) : null;
    if (!this.yielding) this.#follow(endMs);
  }

  /** The visitor is not heard for now. */
  rest() {
    this.#vad.finish();
    this.#setOverlap(null);
  }

  /** One unit of the service. @param {{isListen: boolean, skipped: boolean}} result */
  result({ isListen, skipped }) {
    if (!this.yielding || !isListen || skipped) return;
    this.#listens += 1;
    if (this.#listens < LISTENS) return;
    this.#listens = null;
    this.emit('release', {});
  }

  /** There is nothing to wait for: the answer ended with the interruption. */
  release() {
    this.#listens = null;
  }

  #follow(nowMs) {
    const { speaking, lastSpeechMs, loudSinceMs } = this.#vad;
    const pausing = !speaking || nowMs - lastSpeechMs > SYLLABLE_GAP_MS;
    if (pausing || this.#modelSinceMs === null) this.#setOverlap(null);
    else if (this.#overlapSinceMs === null && loudSinceMs !== null) {
      this.#setOverlap(Math.max(loudSinceMs, this.#modelSinceMs));
    }
    const sinceMs = this.#overlapSinceMs;
    if (sinceMs !== null && lastSpeechMs - sinceMs >= INTERRUPT_AFTER_MS) this.#interrupt();
  }

  #setOverlap(sinceMs) {
    const changes = (sinceMs === null) !== (this.#overlapSinceMs === null);
    this.#overlapSinceMs = sinceMs;
    if (changes) this.emit('duck', { on: sinceMs !== null });
  }

  #interrupt() {
    this.#listens = 0;
    this.emit('interrupt', {});
    this.#setOverlap(null);
  }
}
