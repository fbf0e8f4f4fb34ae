/** Questions and answers about a page, in a drawer; each question folds its answer away. */

import { translator } from '../i18n/index.js';
import { closeOnBackdrop } from './dialog.js';
import { element, icon } from './dom.js';
import { markdownElements } from './markdown-view.js';
import { useStylesheet } from './stylesheet.js';

const QUESTION = /^## +(.+)$/m;

export class FaqDrawer {
  #name;
  #fetch;
  #list = element('div');
  #dialog;
  #language = null; // of what is shown

  /** @param {string} name of the file in static/faq/ @param {typeof fetch} [fetch] */
  constructor(name, fetch = globalThis.fetch.bind(globalThis)) {
    [this.#name, this.#fetch] = [name, fetch];
    const close = { type: 'submit', class: 'icon-button', label: 'action.close' };
    const head = element(
      'form',
      { method: 'dialog', class: 'faq-head' },
      element('h2', { id: 'faq-heading', i18n: 'nav.faq' }),
      element('button', close, icon('close')),
    );
    this.#dialog = element('dialog', { class: 'faq', 'aria-labelledby': 'faq-heading' }, head, this.#list);
    closeOnBackdrop(this.#dialog);
    document.body.append(this.#dialog);
  }

  /** @throws {TypeError} when the answers are out of reach */
  async open() {
    const { language } = translator;
    const [text] = await Promise.all([this.#read(language), useStylesheet('faq')]);
    if (language !== this.#language) this.#list.replaceChildren(...questions(text));
    this.#language = language;
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  async #read(language) {
    const answer = await this.#fetch(`/static/faq/${language}/${this.#name}.md`);
    if (!answer.ok) throw new TypeError(`HTTP ${answer.status}`);
    return answer.text();
  }
}

/** @param {string} text with a heading of the second level for each question @returns {HTMLElement[]} */
export function questions(text) {
  const [, ...parts] = text.split(QUESTION); // [before, question, answer, question, answer, …]
  const found = [];
  for (let index = 0; index < parts.length; index += 2) {
    const answer = element('div', { class: 'faq-answer' }, ...markdownElements(parts[index + 1]));
    const question = element('summary', { text: parts[index].trim() });
    found.push(element('details', { open: index === 0 }, question, answer));
  }
  return found;
}
