/** What the sound of each unit looks like, read when it is to be seen and forgotten long after. */

import { BoundedMap } from './bounded-map.js';
import { peaksOf } from './stereo.js';

export const PEAKS_PER_UNIT = 40;
const UNITS_KEPT = 600;
const UNITS_AT_ONCE = 10;
const RETRY_MS = 5000;

export class PeakStore {
  #sound;
  #onLoad;
  #now;
  #peaks = new BoundedMap(UNITS_KEPT);
  #reading = false;
  #wanted = [];
  #quietUntilMs = 0;

  /**
   * @param {{read: (units: object[]) => Promise<Int16Array[]>}} sound
   * @param {() => void} onLoad more can be drawn
   * @param {() => number} [now] in milliseconds
   */
  constructor(sound, onLoad, now = () => performance.now()) {
    [this.#sound, this.#onLoad, this.#now] = [sound, onLoad, now];
  }

  /** @returns {?{user: Float32Array, model: Float32Array}} null while they are not there */
  peaks({ index }) {
    return this.#peaks.get(index) ?? null;
  }

  /** Reads what is missing of these, which follow each other. */
  want(units) {
    this.#wanted = units;
    if (!this.#reading && this.#now() >= this.#quietUntilMs) void this.#readOn();
  }

  async #readOn() {
    this.#reading = true;
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
      try {
        const sounds = await this.#sound.read(batch);
        batch.forEach(({ index }, place) => {
          this.#peaks.set(index, peaksOf(sounds[place], PEAKS_PER_UNIT));
        });
      } catch {
        this.#quietUntilMs = this.#now() + RETRY_MS; // playing tells of it; drawing tries later
        break;
      }
      this.#onLoad();
    }
    this.#reading = false;
  }

  #nextBatch() {
    const first = this.#wanted.findIndex(({ index }) => !this.#peaks.has(index));
    if (first < 0) return [];
    const batch = this.#wanted.slice(first, first + UNITS_AT_ONCE);
    const known = batch.findIndex(({ index }) => this.#peaks.has(index));
    return known < 0 ? batch : batch.slice(0, known);
  }
}
