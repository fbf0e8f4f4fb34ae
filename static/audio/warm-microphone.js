/** A microphone that stays open a while after use, so that the next words begin at once. */

import { Microphone, stopTracks } from './microphone.js';

export const WARM_MS = 60_000;

export class WarmMicrophone {
  #microphone;
  #stream = null;
  #timer = null;

  /** @param {Microphone} [microphone] */
  constructor(microphone = new Microphone()) {
    this.#microphone = microphone;
  }

  /** @see Microphone#record; `done()` has to follow its end @throws {Failure} */
  async record(handlers) {
    clearTimeout(this.#timer);
    if (!this.#live) this.#stream = await this.#microphone.open();
    return this.#microphone.record({ ...handlers, stream: this.#stream });
  }

  /** The recording has ended; the microphone cools down. */
  done() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.release(), WARM_MS);
  }

  /** Lets go of it at once. */
  release() {
    clearTimeout(this.#timer);
    stopTracks(this.#stream);
    this.#stream = null;
  }

  get #live() {
    return this.#stream?.getAudioTracks().some((track) => track.readyState === 'live') ?? false;
  }
}
