/**
 * Whether the visitor's voice goes to the model: always, while a key is held, or while somebody
 * speaks. A held key counts in every mode.
 *
 * Event: `change` {open}.
 */

import { Emitter } from './emitter.js';

export class TalkGate extends Emitter {
  #mode = 'open';
  #held = false;
  #speaking = false;
  #open = true;

  get mode() {
    return this.#mode;
  }

  get held() {
    return this.#held;
  }

  get open() {
    return this.#open;
  }

  /** @param {'open' | 'hold' | 'auto'} mode */
  set mode(mode) {
    this.#mode = mode;
    this.#update();
  }

  set held(on) {
    this.#held = on;
    this.#update();
  }

  set speaking(on) {
    this.#speaking = on;
    this.#update();
  }

  #update() {
    const open = this.#held || this.#mode === 'open' || (this.#mode === 'auto' && this.#speaking);
    if (open === this.#open) return;
    this.#open = open;
    this.emit('change', { open });
  }
}
