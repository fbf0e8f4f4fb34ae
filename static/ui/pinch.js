/**
 * Two fingers that move apart or together on an element.
 *
 * Events: `start` {} when both lie there, `move` {factor}: how much further apart they are than then.
 */

import { Emitter } from '../lib/emitter.js';

export class Pinch extends Emitter {
  #points = new Map(); // pointer id -> [x, y]
  #startPx = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    super();
    element.addEventListener('pointerdown', (event) => {
      this.#put(event);
      this.#begin();
    });
    element.addEventListener('pointermove', (event) => this.#move(event));
    for (const name of ['pointerup', 'pointercancel', 'pointerleave']) {
      element.addEventListener(name, ({ pointerId }) => {
        this.#points.delete(pointerId);
        this.#begin();
      });
    }
  }

  #put({ pointerId, clientX, clientY }) {
    this.#points.set(pointerId, [clientX, clientY]);
  }

  #begin() {
    this.#startPx = this.#points.size === 2 ? this.#distancePx : null;
    if (this.#startPx !== null) this.emit('start', {});
  }

  #move(event) {
    if (!this.#points.has(event.pointerId)) return;
    this.#put(event);
    if (this.#startPx > 0) this.emit('move', { factor: this.#distancePx / this.#startPx });
  }

  get #distancePx() {
    const [[x1, y1], [x2, y2]] = this.#points.values();
    return Math.hypot(x1 - x2, y1 - y2);
  }
}
