/** Keeps the screen on during a call, where the browser can. */

export class WakeLock {
  #wanted = false;
  #lock = null;
  #navigator;

  constructor({ document, navigator } = globalThis) {
    this.#navigator = navigator;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#wanted) void this.#request(); // hiding the tab took it away
    });
  }

  /** @param {boolean} on */
  hold(on) {
    this.#wanted = on;
    if (on) void this.#request();
    else void this.#lock?.release();
  }

  /** A refusal, by a low battery for example, changes nothing about the call. */
  async #request() {
    this.#lock = (await this.#navigator.wakeLock?.request('screen').catch(() => null)) ?? null;
    if (!this.#wanted) void this.#lock?.release();
  }
}
