/** Shows an answer while it is written: finished blocks are appended once and never touched. */

import { splitOpenBlock } from '../lib/markdown.js';
import { element } from './dom.js';
import { markdownElements } from './markdown-view.js';

export class MarkdownStream {
  text = '';
  #open = '';
  #tail = element('div', { class: 'open-block' });

  /** @param {HTMLElement} container */
  constructor(container) {
    container.append(this.#tail);
  }

  /** @param {string} delta */
  push(delta) {
    this.text += delta;
    const { closed, open } = splitOpenBlock(this.#open + delta);
    if (closed !== '') this.#tail.before(...markdownElements(closed));
    this.#open = open;
    this.#tail.replaceChildren(...markdownElements(open));
  }

  finish() {
    this.#tail.replaceWith(...this.#tail.childNodes);
  }
}
