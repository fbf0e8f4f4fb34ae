/**
 * Counts a waiting time down once a second between the estimates that a server sends.
 *
 * An estimate may raise the shown time only together with a new place in the queue; otherwise it
 * can just lower it, so that the number never jumps up. Below zero it goes on as overtime.
 */

const TICK_MS = 1000;

export class CountdownTimer {
  remaining = 0;
  position = null;
  queueLength = null;
  #onRender;
  #interval = null;
  #deadlineMs = 0;

  /** @param {(state: {remaining: number, position: ?number, queueLength: ?number}) => void} onRender */
  constructor(onRender) {
    this.#onRender = onRender;
  }

  get active() {
    return this.#interval !== null;
  }

  /** @param {number} estimatedS @param {?number} position @param {?number} queueLength */
  update(estimatedS, position, queueLength) {
    const estimate = Math.round(estimatedS);
    const moved = position !== null && position !== this.position;
    const mayRise = !this.active || moved;
    this.remaining = mayRise ? estimate : Math.min(this.remaining, estimate);
    this.position = position;
    this.queueLength = queueLength;
    this.#deadlineMs = Date.now() + this.remaining * TICK_MS;
    this.#interval ??= setInterval(() => this.tick(), TICK_MS);
    this.#render();
  }

  tick() {
    this.remaining -= 1;
    this.#render();
  }

  /** Catches up with the clock after a hidden tab has slowed the timer down. */
  resync() {
    if (!this.active) return;
    this.remaining = Math.min(
      this.remaining,
      Math.round((this.#deadlineMs - Date.now()) / TICK_MS),
    );
    this.#render();
  }

  stop() {
    clearInterval(this.#interval);
    this.#interval = null;
  }

  #render() {
    const { remaining, position, queueLength } = this;
    this.#onRender({ remaining, position, queueLength });
  }
}
