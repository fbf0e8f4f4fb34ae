/** Speech for a page: its modules load when an answer is to be spoken for the first time. */

import { Failure } from '../lib/failure.js';

export class SpeechOnDemand {
  #open;
  #onFailure;
  #opening = null;
  #speech = null;
  #turn = 0;

  /**
   * @param {{open: () => Promise<import('./speech-controller.js').SpeechController>,
   *          onFailure: (failure: Failure) => void}} options
   */
  constructor({ open, onFailure }) {
    [this.#open, this.#onFailure] = [open, onFailure];
  }

  /** Whether an answer sounds, or is about to. */
  get speaking() {
    return this.#speech?.speaking ?? false;
  }

  /** Loads what is needed; call it early, so that the first answer need not wait. */
  prepare() {
    this.#opening ??= this.#load();
    return this.#opening;
  }

  /** The next sound belongs to this answer. Call it in the click that asks. */
  begin(view) {
    this.#do((speech) => speech.begin(view));
  }

  /** @param {Float32Array} samples at 24 kHz */
  hear(samples) {
    this.#do((speech) => speech.hear(samples));
  }

  /** The answer is complete; its sound is played to the end. */
  end() {
    if (this.#opening !== null) this.#do((speech) => speech.end());
  }

  /** @returns {?number} how many milliseconds were heard; null when nothing was to be spoken */
  stop() {
    this.#turn += 1;
    return this.#speech?.stop() ?? null;
  }

  /** Frees the sounds of answers that are gone. */
  release() {
    this.#speech?.release();
  }

  /** Now, or in order once the modules are there; then without what was stopped meanwhile. */
  #do(act) {
    const turn = this.#turn;
    if (this.#speech !== null) act(this.#speech);
    else {
      void this.prepare().then(() => {
        if (this.#speech !== null && turn === this.#turn) act(this.#speech);
      });
    }
  }

  async #load() {
    try {
      this.#speech = await this.#open();
    } catch (error) {
      this.#opening = null; // the next answer tries again
      this.#onFailure(new Failure('unreachable', { cause: error }));
    }
  }
}
