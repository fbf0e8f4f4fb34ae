/** A whole call in one strip: when the model spoke, what took too long, and which part is seen. */

import { totalCost, unitAt } from '../lib/replay-units.js';
import { fitCanvas, readColours } from './canvas-size.js';
import { BUDGET_MS } from './replay-canvas.js';

const LATE_HEIGHT = 4;

export class ReplayOverview {
  #canvas;
  #legend;
  #units;
  #window;

  /** @param {object} parts as those of ReplayCanvas */
  constructor({ canvas, legend, units, window }) {
    [this.#canvas, this.#legend, this.#units, this.#window] = [canvas, legend, units, window];
  }

  /** @param {number} timeMs what is played */
  draw(timeMs) {
    const [width, height] = fitCanvas(this.#canvas);
    const context = this.#canvas.getContext('2d');
    const colours = readColours(this.#legend);
    const durationMs = this.#units.at(-1).endMs;
    context.clearRect(0, 0, width, height);
    for (let x = 0; x < width; x += 1) this.#drawColumn(context, colours, x, [width, height], durationMs);
    const [from, to] = [this.#window.startMs, this.#window.endMs].map((ms) => (ms / durationMs) * width);
    context.strokeStyle = colours.now;
    context.lineWidth = 2;
    context.strokeRect(from + 1, 1, Math.max(4, to - from - 2), height - 2);
    context.fillStyle = colours.now;
    context.fillRect((timeMs / durationMs) * width - 1, 0, 2, height);
  }

  #drawColumn(context, colours, x, [width, height], durationMs) {
    const first = unitAt(this.#units, (x / width) * durationMs);
    const last = unitAt(this.#units, ((x + 1) / width) * durationMs);
    let [speaks, late] = [0, false];
    for (let index = first; index <= last; index += 1) {
      const unit = this.#units[index];
      speaks += unit.speaks ? 1 : 0;
      late ||= totalCost(unit) > BUDGET_MS;
    }
    const share = speaks / (last - first + 1);
    context.fillStyle = colours.listen;
    context.fillRect(x, height / 2 - 1, 1, 2);
    context.fillStyle = colours.model;
    context.fillRect(x, (height * (1 - share * 0.7)) / 2, 1, height * share * 0.7);
    if (!late) return;
    context.fillStyle = colours.late;
    context.fillRect(x, height - LATE_HEIGHT, 1, LATE_HEIGHT);
  }
}
