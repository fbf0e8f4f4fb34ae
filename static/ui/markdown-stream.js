/** Shows an answer while it is written: finished blocks are appended once and never touched. */

import { element } from './dom.js';

let markdown = null; // its modules load with the first answer, whose words are plain until then

/** @returns {Promise<void>} when answers are shown as Markdown, or that cannot be had */
export async function loadMarkdown() {
  markdown ??= await import('./markdown-view.js').catch(() => null);
}

export class MarkdownStream {
  text = '';
  #open = '';
  #isFinished = false;
  #tail = element('div', { class: 'open-block' });

  /** @param {HTMLElement} container */
  constructor(container) {
    container.append(this.#tail);
    if (markdown === null) void loadMarkdown().then(() => this.#catchUp());
  }

  /** @param {string} delta */
  push(delta) {
    this.text += delta;
    this.#open += delta;
    if (markdown === null) this.#tail.textContent = this.#open;
    else this.#show();
  }

  finish() {
    this.#isFinished = true;
    if (markdown !== null) this.#tail.replaceWith(...this.#tail.childNodes);
  }

  #catchUp() {
    if (markdown === null) return;
    this.#show();
    if (this.#isFinished) this.finish();
  }

  #show() {
    const { closed, open } = markdown.splitOpenBlock(this.#open);
    if (closed !== '') this.#tail.before(...markdown.markdownElements(closed));
    this.#open = open;
    this.#tail.replaceChildren(...markdown.markdownElements(open));
  }
}
