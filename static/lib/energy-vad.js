/**
 * Tells speech from background by energy: it opens 12 dB above the noise floor for 120 ms and
 * closes after 600 ms below 6 dB. The floor follows quiet at once and louder background slowly.
 *
 * Event: `speech` {startMs, endMs} once somebody has stopped speaking.
 */

import { Emitter } from './emitter.js';
import { SAMPLE_RATE } from './limits.js';
import { rmsDecibels } from './pcm.js';

const FRAME_MS = 20;
const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1000;
const OPEN_DB = 12; // unless asked for less or more
const CLOSE_DB = 6;
const OPEN_AFTER_MS = 120;
const CLOSE_AFTER_MS = 600;
const LOWEST_FLOOR_DB = -65; // a muted input must not make a whisper of noise count as speech
const FLOOR_RISE_DB = 0.02; // each frame, which is 1 dB a second

export class EnergyVad extends Emitter {
  #openDb;
  #floorDb = LOWEST_FLOOR_DB;
  #started = false;
  #loudSinceMs = null;
  #startMs = null;
  /** When the visitor was last heard, on the caller's clock; null before. */
  lastSpeechMs = null;

  /** @param {{openDb?: number}} [options] how far above the noise floor speech begins */
  constructor({ openDb = OPEN_DB } = {}) {
    super();
    this.#openDb = openDb;
  }

  get speaking() {
    return this.#startMs !== null;
  }

  /** Whether what was heard last is loud. */
  get loud() {
    return this.#loudSinceMs !== null;
  }

  /** Since when it has been loud without a break; null while it is not. */
  get loudSinceMs() {
    return this.#loudSinceMs;
  }

  /** @param {Float32Array} samples at 16 kHz @param {number} endMs when the last one was heard */
  push(samples, endMs) {
    const frames = Math.floor(samples.length / FRAME_SAMPLES);
    for (let index = 0; index < frames; index += 1) {
      const frame = samples.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES);
      this.#hear(rmsDecibels(frame), endMs - (frames - 1 - index) * FRAME_MS);
    }
  }

  /** Nothing is heard any more: ends the speech under way, and keeps the floor. */
  finish() {
    this.#loudSinceMs = null;
    if (this.speaking) this.#end();
  }

  #hear(decibels, nowMs) {
    const overDb = decibels - this.#floorDb;
    if (!this.speaking) this.#follow(decibels);
    if (overDb >= (this.speaking ? CLOSE_DB : this.#openDb)) this.#loud(nowMs);
    else this.#quiet(nowMs);
  }

  /** The first frame is taken for background. */
  #follow(decibels) {
    const heardDb = Math.max(LOWEST_FLOOR_DB, decibels);
    const risenDb = this.#started ? this.#floorDb + FLOOR_RISE_DB : heardDb;
    this.#started = true;
    this.#floorDb = Math.min(heardDb, risenDb);
  }

  #loud(nowMs) {
    this.#loudSinceMs ??= nowMs - FRAME_MS;
    if (!this.speaking && nowMs - this.#loudSinceMs >= OPEN_AFTER_MS) {
      this.#startMs = this.#loudSinceMs;
    }
    if (this.speaking) this.lastSpeechMs = nowMs;
  }

  #quiet(nowMs) {
    this.#loudSinceMs = null;
    if (this.speaking && nowMs - this.lastSpeechMs >= CLOSE_AFTER_MS) this.#end();
  }

  #end() {
    const startMs = this.#startMs;
    this.#startMs = null;
    this.emit('speech', { startMs, endMs: this.lastSpeechMs });
  }
}
