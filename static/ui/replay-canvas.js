/** The timeline of a call as a drawing: what was seen, said, decided, and how long that took. */

import { clockText } from '../lib/clock-text.js';
import { PEAKS_PER_UNIT } from '../lib/peak-store.js';
import { costsOf, unitAt } from '../lib/replay-units.js';
import { fitCanvas, readColours } from './canvas-size.js';

export const BUDGET_MS = 1000;
const RULER = 20;
const PICTURES = 60;
const SOUND = 48;
const DECISION = 26;
const COSTS = 84;
const GAP = 8;
const NARROWEST_PICTURE = 56;
const NARROWEST_LABEL = 64;
const ROOM_FOR_WORDS = 110;
const UNIT_MS = 1000;
const TICKS_S = [1, 2, 5, 10, 15, 30, 60];
const STAGES = ['prefill', 'llm', 'tts', 'token2wav'];
const COST_ROOM = 1.25; // of the budget, without drawing beyond

export class ReplayCanvas {
  #canvas;
  #legend;
  #units;
  #hasPictures;
  #parts;
  #context;
  #colours;
  #width = 0;

  /**
   * @param {{canvas: HTMLCanvasElement, legend: HTMLElement, units: object[], hasPictures: boolean,
   *          window: import('../lib/time-window.js').TimeWindow,
   *          peaks: import('../lib/peak-store.js').PeakStore, thumbnails: object}} parts
   */
  constructor(parts) {
    const { canvas, legend, units, hasPictures } = parts;
    [this.#canvas, this.#legend, this.#units] = [canvas, legend, units];
    [this.#hasPictures, this.#parts] = [hasPictures, parts];
    this.#context = canvas.getContext('2d');
  }

  /** @param {number} timeMs what is played */
  draw(timeMs) {
    const [width, height] = fitCanvas(this.#canvas);
    [this.#width, this.#colours] = [width, readColours(this.#legend)];
    this.#context.clearRect(0, 0, width, height);
    this.#context.font = `12px ${getComputedStyle(this.#canvas).fontFamily}`;
    this.#context.textBaseline = 'middle';
    const { window, peaks } = this.#parts;
    const from = unitAt(this.#units, window.startMs);
    const seen = this.#units.slice(from, unitAt(this.#units, window.endMs - 1) + 1);
    peaks.want(seen);
    this.#drawNow(seen, timeMs, height);
    let top = this.#drawRuler(height);
    if (this.#hasPictures) top = this.#drawPictures(seen, top);
    top = this.#drawSound(seen, top, 'user');
    top = this.#drawDecisions(seen, top);
    top = this.#drawSound(seen, top, 'model');
    this.#drawCosts(seen, top);
    this.#fill('now', this.#x(timeMs) - 1, 0, 2, height);
  }

  #x(timeMs) {
    return this.#parts.window.place(timeMs, this.#width);
  }

  #fill(colour, x, y, width, height, alpha = 1) {
    this.#context.globalAlpha = alpha;
    this.#context.fillStyle = this.#colours[colour];
    this.#context.fillRect(x, y, width, height);
    this.#context.globalAlpha = 1;
  }

  /** Text that ends where its room does. */
  #write(text, colour, x, y, room) {
    const context = this.#context;
    context.save();
    context.beginPath();
    context.rect(x, y - 14, room, 28);
    context.clip();
    context.fillStyle = this.#colours[colour];
    context.fillText(text, x, y);
    context.restore();
  }

  #drawNow(seen, timeMs, height) {
    const unit = seen.find(({ startMs, endMs }) => timeMs >= startMs && timeMs < endMs);
    if (unit === undefined) return;
    const x = this.#x(unit.startMs);
    this.#fill('now', x, 0, this.#x(unit.endMs) - x, height, 0.08);
  }

  #drawRuler(height) {
    const { window } = this.#parts;
    const roomS = (NARROWEST_LABEL / this.#width) * (window.spanMs / 1000);
    const tickS = TICKS_S.find((tick) => tick >= roomS) ?? TICKS_S.at(-1);
    const firstS = Math.ceil(window.startMs / 1000 / tickS) * tickS;
    for (let atS = firstS; atS * 1000 <= window.endMs; atS += tickS) {
      const x = this.#x(atS * 1000);
      this.#fill('grid', x, 0, 1, height, 0.5);
      this.#write(clockText(atS), 'text', x + 4, RULER / 2, NARROWEST_LABEL);
    }
    return RULER + GAP;
  }

  /** As many as have room, each where it was seen first. */
  #drawPictures(seen, top) {
    const { thumbnails } = this.#parts;
    const shown = [];
    let freeFrom = -Infinity;
    for (const { atMs, path } of seen.flatMap(({ frames }) => frames)) {
      if (this.#x(atMs) < freeFrom) continue;
      shown.push({ x: this.#x(atMs), path });
      freeFrom = this.#x(atMs) + NARROWEST_PICTURE;
    }
    thumbnails.want(shown.map(({ path }) => path));
    shown.forEach(({ x, path }, index) => {
      const room = Math.min((shown[index + 1]?.x ?? this.#width) - x, PICTURES * 1.8) - 2;
      this.#fill('grid', x, top, room, PICTURES, 0.4);
      const picture = thumbnails.picture(path);
      if (picture !== null) this.#drawCropped(picture, x, top, room);
    });
    return top + PICTURES + GAP;
  }

  /** The middle of a picture. */
  #drawCropped(picture, x, y, width) {
    const scale = Math.max(width / picture.width, PICTURES / picture.height);
    const [cutWidth, cutHeight] = [width / scale, PICTURES / scale];
    const [cutX, cutY] = [(picture.width - cutWidth) / 2, (picture.height - cutHeight) / 2];
    this.#context.drawImage(picture, cutX, cutY, cutWidth, cutHeight, x, y, width, PICTURES);
  }

  #drawSound(seen, top, side) {
    this.#fill('grid', 0, top + SOUND / 2, this.#width, 1, 0.6);
    for (const unit of seen) {
      const loudness = this.#parts.peaks.peaks(unit)?.[side];
      if (loudness === undefined) continue;
      const x = this.#x(unit.startMs);
      const step = (this.#x(unit.endMs) - x) / PEAKS_PER_UNIT;
      loudness.forEach((peak, index) => {
        const height = Math.max(1, Math.sqrt(peak) * SOUND);
        this.#fill(side, x + index * step, top + (SOUND - height) / 2, Math.max(1, step - 0.5), height);
      });
    }
    return top + SOUND + GAP;
  }

  #drawDecisions(seen, top) {
    for (const unit of seen) {
      const [x, end] = [this.#x(unit.startMs), this.#x(unit.endMs)];
      if (unit.speaks) this.#fill('speak', x, top, end - x - 1, DECISION);
      else this.#fill('listen', x, top + DECISION / 2 - 2, end - x - 1, 4);
      if (unit.isCut) this.#fill('late', end - 4, top, 3, DECISION);
      else if (unit.endsTurn) this.#fill('model', end - 4, top, 3, DECISION);
    }
    for (const { text, startMs, endMs } of this.#textsOf(seen)) {
      const x = Math.max(this.#x(startMs), 0);
      this.#write(text.trim(), 'said', x + 4, top + DECISION / 2, this.#x(endMs) - x - 10);
    }
    return top + DECISION + GAP;
  }

  /** Where a unit has too little room for its words, those of a turn are written on. */
  #textsOf(seen) {
    const roomy = this.#x(UNIT_MS) - this.#x(0) >= ROOM_FOR_WORDS;
    const texts = [];
    let open = null;
    for (const { text, startMs, endMs, speaks, endsTurn } of seen) {
      if (open === null && text !== '') texts.push((open = { text: '', startMs, endMs }));
      if (open !== null && speaks) {
        open.text += text;
        open.endMs = endMs;
      }
      if (roomy || endsTurn || !speaks) open = null;
    }
    return texts;
  }

  /** A pile for each unit; what is higher than the room is cut off and marked. */
  #drawCosts(seen, top) {
    const pixelsPerMs = COSTS / (BUDGET_MS * COST_ROOM);
    for (const unit of seen) {
      const x = this.#x(unit.startMs);
      const width = Math.max(1, this.#x(unit.endMs) - x - 2);
      const costs = costsOf(unit);
      let bottom = top + COSTS;
      for (const stage of STAGES) {
        const height = Math.min(costs[stage] * pixelsPerMs, bottom - top);
        bottom -= height;
        this.#fill(stage, x, bottom, width, height);
      }
      if (bottom <= top) this.#fill('late', x, top, width, 3);
    }
    this.#fill('late', 0, top + COSTS - BUDGET_MS * pixelsPerMs, this.#width, 1);
    this.#fill('grid', 0, top + COSTS, this.#width, 1);
  }
}
