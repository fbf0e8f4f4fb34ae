/** What was said in a recording, line by line; a click on a time goes there. */

import { clockText } from '../lib/clock-text.js';
import { element } from './dom.js';

export class LineList {
  #rows;
  #lines;
  #current = null;

  /** @param {object[]} lines as in lib/recorded-lines.js @param {(timeS: number) => void} onSeek */
  constructor(lines, onSeek) {
    this.#lines = lines;
    this.#rows = lines.map((line) => row(line, onSeek));
    this.element = element('ol', { class: 'said-lines', tabindex: '0', named: 'replay.said' }, ...this.#rows);
  }

  /** Marks what is said at a time, and brings it into sight within the list. */
  show(timeMs) {
    const index = this.#lines.findLastIndex(({ startMs }) => startMs <= timeMs);
    const current = this.#rows[index] ?? null;
    if (current === this.#current) return;
    this.#current?.removeAttribute('aria-current');
    this.#current = current;
    if (current === null) return;
    current.setAttribute('aria-current', 'true');
    const list = this.element;
    const [top, bottom] = [current.offsetTop, current.offsetTop + current.offsetHeight];
    if (top < list.scrollTop || bottom > list.scrollTop + list.clientHeight) list.scrollTop = top;
  }
}

function row({ startMs, text, interrupted }, onSeek) {
  const time = clockText(startMs / 1000);
  const button = element('button', {
    type: 'button', class: 'said-time', label: 'replay.go_to', params: { time },
    onclick: () => onSeek(startMs / 1000),
  }, element('span', { text: time }));
  const note = interrupted ? [element('span', { class: 'said-note', i18n: 'replay.interrupted' })] : [];
  return element('li', {}, button, element('p', { text }, ...note));
}
