/**
 * What goes to the model in a call: seconds of sound, and for each the picture at its end.
 *
 * Events: `chunk` {samples, frame, endMs}, `ended`, `warning` {failure}.
 */

import { Emitter } from '../lib/emitter.js';

export class CallMedia extends Emitter {
  #input;
  #picture;
  #sending = Promise.resolve();

  /**
   * @param {import('../audio/call-input.js').CallInput} input
   * @param {?object} picture as pages/call-pictures.js; null for calls without
   */
  constructor(input, picture) {
    super();
    [this.#input, this.#picture] = [input, picture];
    input.on('chunk', (chunk) => this.#send(chunk));
    input.on('ended', () => {
      this.#sending = this.#sending.then(() => this.emit('ended', {}));
    });
    input.on('warning', (event) => this.emit('warning', event));
  }

  /** Asks for every permission there is to ask for. @throws {Failure} */
  async open() {
    await this.#picture?.open();
    await this.#input.open();
  }

  start() {
    this.#picture?.start();
    this.#input.start();
  }

  pause() {
    this.#picture?.pause();
    this.#input.pause();
  }

  resume() {
    this.#input.resume();
    this.#picture?.start();
  }

  close() {
    this.#input.close();
    this.#picture?.close();
  }

  /** A picture takes a moment to encode; chunks keep their order. */
  #send({ samples, endMs }) {
    const grabbed = this.#picture?.grab() ?? null;
    this.#sending = this.#sending.then(async () => {
      this.emit('chunk', { samples, frame: await grabbed, endMs });
    });
  }
}
