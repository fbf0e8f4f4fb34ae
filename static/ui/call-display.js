/**
 * What a call is doing: a light with words beside it, and the sound as it comes and goes.
 *
 * The light breathes with whoever speaks. Visitors who want less motion get a light that stands
 * still and no drawing; the level of the microphone is shown to everyone.
 */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';

const REDUCED_MOTION = '(prefers-reduced-motion: reduce)';
const LINE_WIDTH_PX = 2;
const SMOOTHING = 0.35; // how much of a new level shows at once

export class CallDisplay {
  #parts;
  #level = 0;
  #samples = null;
  #motion;

  /**
   * @param {{orb: HTMLElement, text: HTMLElement, clock: HTMLElement, level: HTMLMeterElement,
   *          canvas: HTMLCanvasElement}} parts
   * @param {(query: string) => {matches: boolean}} [matchMedia]
   */
  constructor(parts, matchMedia = globalThis.matchMedia.bind(globalThis)) {
    this.#parts = parts;
    this.#motion = matchMedia(REDUCED_MOTION);
  }

  /**
   * @param {'idle' | 'connecting' | 'queued' | 'listening' | 'hearing' | 'thinking' | 'speaking' |
   *         'paused' | 'ended'} mode which light it is
   * @param {string} key the words beside it
   */
  show(mode, key = `call.state.${mode}`, params = {}) {
    this.#parts.orb.dataset.mode = mode;
    if (this.#parts.text.dataset.i18n !== key || Object.keys(params).length > 0) {
      localize(this.#parts.text, key, params);
    }
  }

  /** @param {?number} shownMs how long the call lasts, or may last; null hides it */
  time(shownMs) {
    const { clock } = this.#parts;
    clock.hidden = shownMs === null;
    localize(clock, 'call.clock', { time: clockText((shownMs ?? 0) / 1000) });
  }

  /**
   * @param {{input: number, loudest: number, analyser: ?AnalyserNode}} sound levels 0..1 of the
   *   microphone and of whoever is louder; the analyser hears the input
   */
  draw({ input, loudest, analyser }) {
    this.#parts.level.value = input;
    if (this.#motion.matches) return;
    this.#level += (loudest - this.#level) * SMOOTHING;
    this.#parts.orb.style.setProperty('--level', this.#level.toFixed(3));
    this.#drawWave(analyser);
  }

  /** The end of a call: everything lies still. */
  rest() {
    this.#parts.level.value = 0;
    this.#parts.orb.style.setProperty('--level', '0');
    this.#drawWave(null);
  }

  #drawWave(analyser) {
    const { canvas } = this.#parts;
    const [width, height] = fit(canvas);
    const context = canvas.getContext('2d');
    context.clearRect(0, 0, width, height);
    context.strokeStyle = getComputedStyle(canvas).color;
    context.lineWidth = LINE_WIDTH_PX * devicePixelRatio;
    context.beginPath();
    this.#read(analyser).forEach((sample, index, { length }) => {
      context.lineTo((index / (length - 1)) * width, (0.5 - sample * 0.48) * height);
    });
    context.stroke();
  }

  #read(analyser) {
    if (analyser === null) return [0, 0];
    if (this.#samples?.length !== analyser.fftSize) {
      this.#samples = new Float32Array(analyser.fftSize);
    }
    analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples;
  }
}

/** Gives a canvas as many pixels as the screen has there. @returns {[number, number]} its size */
function fit(canvas) {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round(canvas.clientHeight * devicePixelRatio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  return [width, height];
}
