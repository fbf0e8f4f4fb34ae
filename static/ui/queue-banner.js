/** Tells someone who waits for a free model where they stand, and lets them give up. */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { element } from './dom.js';

export class QueueBanner {
  #place = element('span', { class: 'queue-place', role: 'status' });
  #time = element('span', { class: 'queue-time', role: 'timer' });
  #element;

  /** @param {HTMLElement} container @param {() => void} onCancel */
  constructor(container, onCancel) {
    const attributes = { type: 'button', class: 'button', i18n: 'queue.cancel', onclick: onCancel };
    const dots = element('span', { class: 'dots', 'aria-hidden': 'true' });
    this.#element = element('div', { class: 'queue-banner', hidden: true }, dots);
    this.#element.append(element('p', {}, this.#place, this.#time), element('button', attributes));
    container.append(this.#element);
  }

  /** @param {{remaining: ?number, position: ?number, queueLength: ?number}} state */
  show({ remaining, position, queueLength }) {
    this.#element.hidden = false;
    if (position === null) localize(this.#place, 'queue.waiting');
    else localize(this.#place, 'queue.place', { position, length: queueLength });
    this.#time.hidden = remaining === null;
    const key = remaining > 0 ? 'queue.about' : 'queue.overtime';
    localize(this.#time, key, { time: clockText(Math.abs(remaining)) });
  }

  hide() {
    this.#element.hidden = true;
  }
}
