/** The model's words over the picture, in step with its voice, as large and clear as one needs. */

import { element } from './dom.js';

const LINGER_MS = 4000; // after the last word

export class Captions {
  #container;
  #heard = element('span', { class: 'heard' });
  #sounding = element('span', { class: 'sounding' });
  #restSinceMs = null;

  /** @param {HTMLElement} container */
  constructor(container) {
    this.#container = container;
    container.append(element('span', { class: 'words' }, this.#heard, this.#sounding));
  }

  set shown(on) {
    this.#container.hidden = !on;
  }

  /** @param {number} percent of the usual size */
  set size(percent) {
    this.#container.style.setProperty('--caption-scale', String(percent / 100));
  }

  /** @param {number} percent of a picture's height that they may cover */
  set height(percent) {
    this.#container.style.setProperty('--caption-height', `${percent}cqh`);
  }

  /** @param {number} percent for the newest line, at the bottom */
  set bottomOpacity(percent) {
    this.#container.style.setProperty('--caption-bottom', `${percent}%`);
  }

  /** @param {number} percent for the oldest line that there is room for */
  set topOpacity(percent) {
    this.#container.style.setProperty('--caption-top', `${percent}%`);
  }

  /** Whether they have a ground of their own. */
  set contrast(on) {
    this.#container.toggleAttribute('data-contrast', on);
  }

  /**
   * @param {?{heard: string, sounding: string}} progress of the turn that sounds
   * @param {boolean} active whether it still does
   * @param {number} nowMs
   */
  show(progress, active, nowMs) {
    if (active) this.#restSinceMs = null;
    else this.#restSinceMs ??= nowMs;
    const over = this.#restSinceMs !== null && nowMs - this.#restSinceMs > LINGER_MS;
    if (over || progress === null) this.clear();
    else this.#put(progress.heard, progress.sounding);
  }

  clear() {
    this.#put('', '');
  }

  #put(heard, sounding) {
    if (this.#heard.textContent !== heard) this.#heard.textContent = heard;
    if (this.#sounding.textContent !== sounding) this.#sounding.textContent = sounding;
    this.#container.toggleAttribute('data-empty', heard === '' && sounding === '');
    this.#container.scrollTop = this.#container.scrollHeight;
  }
}
