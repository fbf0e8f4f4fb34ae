/**
 * What goes wrong little by little: a service that falls silent, a network that does not keep up,
 * a context that fills.
 *
 * Events, each only when it changes: `stall` {stalled}, `slow` {slow}, `context` {level}.
 */

import { Emitter } from './emitter.js';

const STALL_MS = 5000;
const SLOW_NETWORK_BYTES = 1_000_000;
const CONTEXT_LEVELS = [0.95, 0.8];

export class CallWatch extends Emitter {
  #clock;
  #timer = null;
  #stalled = false;
  #slow = false;
  #contextLevel = 0;

  /** @param {object} clock as in session-machine.js */
  constructor(clock) {
    super();
    this.#clock = clock;
  }

  /** The service has said something. */
  heard() {
    this.rest();
    this.#timer = this.#clock.setTimeout(() => this.#setStalled(true), STALL_MS);
  }

  /** Nothing needs to come for now. */
  rest() {
    this.#clock.clearTimeout(this.#timer);
    this.#setStalled(false);
  }

  /** @param {number} bytes that wait to be sent @returns {boolean} whether these are too many */
  backlog(bytes) {
    const slow = bytes > SLOW_NETWORK_BYTES;
    if (slow !== this.#slow) this.emit('slow', { slow });
    this.#slow = slow;
    return slow;
  }

  /** @param {number} used share of the context */
  context(used) {
    const level = CONTEXT_LEVELS.find((limit) => used >= limit) ?? 0;
    if (level <= this.#contextLevel) return;
    this.#contextLevel = level;
    this.emit('context', { level });
  }

  #setStalled(stalled) {
    if (stalled !== this.#stalled) this.emit('stall', { stalled });
    this.#stalled = stalled;
  }
}
