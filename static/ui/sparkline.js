/** The course of one number as a small line; its newest value stands beside it in words. */

import { localize } from '../i18n/index.js';
import { polyline } from '../lib/point-history.js';
import { element } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 32;

export class Sparkline {
  #line = document.createElementNS(SVG, 'polyline');
  #value = element('b');
  #top = element('span', { class: 'spark-top' });
  element;

  /** @param {string} labelKey */
  constructor(labelKey) {
    const picture = document.createElementNS(SVG, 'svg');
    picture.setAttribute('viewBox', `0 -2 ${WIDTH} ${HEIGHT + 4}`);
    picture.setAttribute('preserveAspectRatio', 'none');
    picture.setAttribute('aria-hidden', 'true');
    picture.append(this.#line);
    const label = element('span', { i18n: labelKey });
    const words = element('p', { class: 'spark-words' }, label, this.#top, this.#value);
    this.element = element('div', { class: 'spark' }, words, picture);
  }

  /**
   * @param {number[]} points oldest first
   * @param {{top?: number, text: (value: number) => string}} scale `top`: the upper end; by default
   *        that of the highest point
   */
  show(points, { top = Math.max(...points, 1), text }) {
    this.#value.textContent = text(points.at(-1));
    localize(this.#top, 'spark.top', { value: text(top) });
    this.#line.setAttribute('points', polyline(points, { width: WIDTH, height: HEIGHT, top }));
  }
}
