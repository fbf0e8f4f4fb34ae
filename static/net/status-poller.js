/** Asks for the service's status again and again: never twice at once, and not in hidden tabs. */

import { Emitter } from '../lib/emitter.js';
import { loadStatus } from './catalog-api.js';

const PERIOD_MS = 3000;

/** Events: `status` (its JSON) and `unreachable` (the failure). */
export class StatusPoller extends Emitter {
  /** @type {?object} what the service said last; null while it cannot be reached */
  latest = null;
  #document;
  #load;
  #timer = null;
  #asking = false;

  constructor({ document = globalThis.document, load = loadStatus } = {}) {
    super();
    this.#document = document;
    this.#load = load;
  }

  start() {
    this.#document.addEventListener('visibilitychange', () => this.#poll());
    return this.#poll();
  }

  async #poll() {
    if (this.#document.hidden || this.#asking) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    await this.#ask();
    this.#asking = false;
    this.#timer = setTimeout(() => this.#poll(), PERIOD_MS);
  }

  async #ask() {
    try {
      this.latest = await this.#load();
    } catch (failure) {
      this.latest = null;
      this.emit('unreachable', failure);
      return;
    }
    this.emit('status', this.latest);
  }
}
