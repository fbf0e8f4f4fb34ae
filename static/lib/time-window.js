/** Which part of a recording is seen, and where on the screen its times lie. */

const SPANS_S = [8, 15, 30, 60, 120];
const FOLLOW_FROM = 0.15; // where in the window playing goes on after it has turned the page

export class TimeWindow {
  #durationMs;
  #level;
  #startMs = 0;

  /** @param {number} durationMs of the recording @param {number} level of zoom to begin with */
  constructor(durationMs, level) {
    [this.#durationMs, this.#level] = [durationMs, level];
  }

  get spanMs() {
    return Math.min(SPANS_S[this.#level] * 1000, this.#durationMs);
  }

  get startMs() {
    return this.#startMs;
  }

  get endMs() {
    return this.#startMs + this.spanMs;
  }

  get canZoomIn() {
    return this.#level > 0;
  }

  get canZoomOut() {
    return this.spanMs < this.#durationMs && this.#level < SPANS_S.length - 1;
  }

  /** @param {-1 | 1} step closer or farther @param {number} aroundMs stays in sight */
  zoom(step, aroundMs) {
    this.#level = Math.max(0, Math.min(SPANS_S.length - 1, this.#level + step));
    this.#begin(aroundMs - this.spanMs / 2);
  }

  /** Turns the page when a time is not in sight. @returns {boolean} whether it was */
  follow(timeMs) {
    if (timeMs >= this.startMs && timeMs < this.endMs) return false;
    this.#begin(timeMs - FOLLOW_FROM * this.spanMs);
    return true;
  }

  /** @returns {number} in the unit of `width` */
  place(timeMs, width) {
    return ((timeMs - this.#startMs) / this.spanMs) * width;
  }

  /** @returns {number} the time at a place */
  timeAt(place, width) {
    return this.#startMs + (place / width) * this.spanMs;
  }

  #begin(startMs) {
    this.#startMs = Math.max(0, Math.min(startMs, this.#durationMs - this.spanMs));
  }
}
