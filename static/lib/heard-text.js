/** Which words of a spoken answer were heard when its sound was cut. */

import { SPEECH_SAMPLE_RATE } from './limits.js';

export class HeardText {
  #pieces = []; // {startMs, text}
  #waiting = ''; // words whose sound has not come
  #durationMs = 0;

  /** Words come with the sound that follows them. */
  addText(text) {
    this.#waiting += text;
  }

  /** @param {number} count samples at 24 kHz */
  addSound(count) {
    this.#pieces.push({ startMs: this.#durationMs, text: this.#waiting });
    this.#waiting = '';
    this.#durationMs += (count / SPEECH_SAMPLE_RATE) * 1000;
  }

  /** No more sound comes: the last words belong to the last of it. */
  end() {
    const last = this.#pieces.at(-1);
    if (last !== undefined) last.text += this.#waiting;
    this.#waiting = '';
  }

  /** The words whose sound had begun after so much of it. */
  upTo(playedMs) {
    const begun = this.#pieces.filter(({ startMs }) => startMs < playedMs);
    return begun.map(({ text }) => text).join('');
  }
}
