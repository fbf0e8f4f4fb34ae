/** One answer: what the model is doing, its words, and how it ended. */

import { localize } from '../i18n/index.js';
import { element, icon, iconButton } from './dom.js';
import { failureCard } from './failure-text.js';
import { MarkdownStream } from './markdown-stream.js';

const LINES = 3; // below the words: time, how it went, counts
const ENDINGS = {
  complete: { empty: 'chat.empty_answer' },
  stopped: { first: 'chat.stopped', empty: 'chat.stopped_empty' },
  failed: { first: 'chat.interrupted', empty: 'chat.interrupted_empty' },
  interrupted: { first: 'chat.interrupted', empty: 'chat.interrupted_empty' },
};

export class AnswerView {
  #body = element('div', { class: 'answer-body' });
  #progressText = element('span', {});
  #progress;
  #stream = new MarkdownStream(this.#body);
  #sound = element('div', { class: 'answer-sound' });
  #facts = Array.from({ length: LINES }, () => element('ul'));
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

  /** @param {{state: string, facts: object[]}} ending state and facts of lib/conversation.js */
  finish({ state, facts }) {
    this.#close(state);
    const { first, empty } = ENDINGS[state];
    if (this.text === '') this.#body.append(element('p', { class: 'quiet', i18n: empty }));
    if (first !== undefined) this.addFact({ key: first });
    facts.forEach((fact) => this.addFact(fact));
    this.#addFooter();
  }

  /**
   * @param {{key: string, params?: object, line?: number, copy?: string}} fact found out at any time;
   *        `copy`: what a click on it copies
   */
  addFact({ key, params, line = 0, copy }) {
    const fact = element('li', copy === undefined ? { i18n: key, params } : {});
    if (copy !== undefined) {
      const onclick = () => this.#actions.onCopy(copy);
      fact.append(element('button', { type: 'button', class: 'fact-copy', i18n: key, params, onclick }));
    }
    this.#facts[line].append(fact);
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
    const facts = element('div', { class: 'facts' }, ...this.#facts);
    this.#sound.after(element('footer', { class: 'answer-footer' }, buttons, facts));
  }
}
