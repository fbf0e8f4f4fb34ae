/**
 * Asks for the parts of a page again and again: never twice at once, not in hidden tabs, and not
 * while something is being changed.
 */

import { Emitter } from '../lib/emitter.js';

const TAKES_HOLD_MS = 1000;

/** Events: a part's name with its answer, `failed` ({name, failure}), and `round` at its end. */
export class PartPoller extends Emitter {
  #schedule;
  #loaders;
  #isWanted;
  #document;
  #timer = null;
  #changes = 0; // that are under way
  #epoch = 0; // answers from before a change are not shown

  /**
   * @param {import('../lib/poll-schedule.js').PollSchedule} schedule
   * @param {Record<string, () => Promise<unknown>>} loaders by part
   * @param {{isWanted?: (name: string) => boolean, document?: Document}} [options]
   */
  constructor(schedule, loaders, { isWanted = () => true, document = globalThis.document } = {}) {
    super();
    this.#schedule = schedule;
    this.#loaders = loaders;
    this.#isWanted = isWanted;
    this.#document = document;
  }

  start() {
    this.#document.addEventListener('visibilitychange', () => this.#poll());
    return this.#poll();
  }

  /** Asks for these parts now, for all unless some are named. */
  hurry(names) {
    this.#schedule.hurry(names);
    return this.#poll();
  }

  /** Makes a change while nothing is asked; then asks for everything, and again a bit later. */
  async during(change) {
    this.#changes += 1;
    this.#epoch += 1;
    try {
      return await change();
    } finally {
      this.#changes -= 1;
      void this.hurry();
      setTimeout(() => this.hurry(), TAKES_HOLD_MS);
    }
  }

  async #poll() {
    if (this.#document.hidden || this.#changes > 0) return;
    const due = this.#schedule.begin(Date.now());
    if (due === null) return;
    clearTimeout(this.#timer);
    const epoch = this.#epoch;
    await Promise.all(due.filter(this.#isWanted).map((name) => this.#ask(name, epoch)));
    this.#schedule.end();
    this.emit('round');
    this.#timer = setTimeout(() => this.#poll(), this.#schedule.waitMs(Date.now()));
  }

  async #ask(name, epoch) {
    let answer;
    try {
      answer = await this.#loaders[name]();
    } catch (failure) {
      if (epoch === this.#epoch) this.#fail(name, failure);
      return;
    }
    if (epoch !== this.#epoch) return;
    this.#schedule.answered(name, Date.now());
    this.emit(name, answer);
  }

  #fail(name, failure) {
    this.#schedule.failed(name);
    this.emit('failed', { name, failure });
  }
}
