/**
 * What holding a button to talk means: released it is sent, released far above it is given up, and
 * released at once it was a slip of the finger.
 */

export const SLIP_MS = 280;
export const CANCEL_PX = 80;

export class HoldGesture {
  #startMs = null;
  #startY = 0;
  #armed = false;

  get held() {
    return this.#startMs !== null;
  }

  /** @param {number} nowMs @param {number} y in pixels from the top */
  press(nowMs, y) {
    [this.#startMs, this.#startY, this.#armed] = [nowMs, y, false];
  }

  /** @returns {boolean} whether a release now would give up */
  move(y) {
    if (this.held) this.#armed = this.#startY - y > CANCEL_PX;
    return this.#armed;
  }

  /** @returns {?('send' | 'cancel' | 'slip')} null when nothing was held */
  release(nowMs) {
    if (!this.held) return null;
    const heldMs = nowMs - this.#startMs;
    this.#startMs = null;
    if (this.#armed) return 'cancel';
    return heldMs < SLIP_MS ? 'slip' : 'send';
  }
}
