/** One answer: what the model is doing, its words, and how it ended. */

import { localize } from '../i18n/index.js';
import { element, icon, iconButton } from './dom.js';
import { failureCard } from './failure-text.js';
import { MarkdownStream } from './markdown-stream.js';

export class AnswerView {
  #body = element('div', { class: 'answer-body' });
  #progressText = element('span', {});
  #progress;
  #stream = new MarkdownStream(this.#body);
  #sound = element('div', { class: 'answer-sound' });
  #facts = element('ul', { class: 'facts' });
  #actions;

  /** @param {{onCopy: (text: string) => void, onRegenerate: () => void}} actions */
  constructor(actions) {
    this.#actions = actions;
    const dots = element('span', { class: 'dots', 'aria-hidden': 'true' });
    this.#progress = element('p', { class: 'answer-progress' }, dots, this.#progressText);
    this.element = element(
      'article',
      { class: 'message answer', 'data-state': 'pending', 'aria-label': 'MiniCPM-o' },
      icon('logo'),
      element('div', { class: 'answer-content' }, this.#progress, this.#body, this.#sound),
    );
  }

  get text() {
    return this.#stream.text;
  }

  /** @param {string} key what is going on, before the first word */
  progress(key) {
    localize(this.#progressText, key);
  }

  append(delta) {
    this.element.dataset.state = 'streaming';
    this.#progress.hidden = true;
    this.#stream.push(delta);
  }

  /** @param {{stopped: boolean, facts: {key: string, params: object}[]}} ending */
  finish({ stopped, facts }) {
    this.#close(stopped ? 'stopped' : 'complete');
    if (this.text === '') {
      const i18n = stopped ? 'chat.stopped_empty' : 'chat.empty_answer';
      this.#body.append(element('p', { class: 'quiet', i18n }));
    }
    const lines = stopped ? [{ key: 'chat.stopped' }, ...facts] : facts;
    this.#facts.prepend(...lines.map(factElement));
    this.#addFooter();
  }

  /** @param {{key: string, params?: object}} fact found out at any time */
  addFact(fact) {
    this.#facts.append(factElement(fact));
  }

  /** Puts what belongs to the answer's sound below its words, in place of what is there. */
  showSound(sound) {
    this.#sound.replaceChildren(sound);
  }

  /** @param {import('../lib/failure.js').Failure} failure @param {object} remedies */
  fail(failure, remedies) {
    this.#close('failed');
    this.#body.after(failureCard(failure, remedies));
  }

  #close(state) {
    this.element.dataset.state = state;
    this.#progress.hidden = true;
    this.#stream.finish();
  }

  #addFooter() {
    const { onCopy, onRegenerate } = this.#actions;
    const copy = iconButton('copy', 'action.copy', () => onCopy(this.text), {
      hidden: this.text === '',
    });
    const again = iconButton('again', 'action.regenerate', onRegenerate, {
      class: 'icon-button only-last',
    });
    const buttons = element('div', { class: 'answer-actions' }, copy, again);
    this.#sound.after(element('footer', { class: 'answer-footer' }, buttons, this.#facts));
  }
}

function factElement({ key, params }) {
  return element('li', { i18n: key, params });
}
