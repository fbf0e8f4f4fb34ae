/**
 * What pressing and releasing a talk control means.
 *
 * Held for HOLD_MS or longer it is push-to-talk: the release stops. A shorter tap leaves the
 * recording running until the next press.
 */

export const HOLD_MS = 300;

export class PressToTalk {
  #pressedAtMs = null;
  #running = false;

  /** Whether a recording was asked for that has not been ended. */
  get running() {
    return this.#running;
  }

  /** @returns {'start' | 'stop'} */
  press(nowMs) {
    if (this.#running) {
      this.reset();
      return 'stop';
    }
    this.#running = true;
    this.#pressedAtMs = nowMs;
    return 'start';
  }

  /** @returns {'stop' | 'keep'} */
  release(nowMs) {
    if (this.#pressedAtMs === null) return 'keep';
    const held = nowMs - this.#pressedAtMs >= HOLD_MS;
    this.#pressedAtMs = null;
    if (!held) return 'keep';
    this.reset();
    return 'stop';
  }

  /** The recording ended for another reason. */
  reset() {
    this.#running = false;
    this.#pressedAtMs = null;
  }
}
