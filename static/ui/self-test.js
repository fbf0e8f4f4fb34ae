/** The check of the set-up: a row for each part, with how it is and what to do next. */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { closeOnBackdrop } from './dialog.js';
import { element, icon, setIcon } from './dom.js';

const ICONS = { waiting: 'right', running: 'again', good: 'check', fair: 'info', poor: 'alert' };

/** Events: `start`, `close`. */
export class SelfTestDialog extends Emitter {
  #dialog;
  #rows = new Map();
  #again;
  #summary = element('p', { class: 'self-test-summary', role: 'status' });

  /** @param {HTMLElement} parent @param {string[]} names of the parts, in their order */
  constructor(parent, names) {
    super();
    const list = element('ul', { class: 'self-test' });
    for (const name of names) {
      const row = testRow(name);
      this.#rows.set(name, row);
      list.append(row.element);
    }
    const start = { type: 'button', class: 'button primary', onclick: () => this.emit('start', {}) };
    this.#again = element('button', start, element('span', { i18n: 'check.again' }));
    const form = element('form', { method: 'dialog', class: 'sheet-form' }, head());
    form.append(element('p', { class: 'help', i18n: 'check.text' }), list, this.#summary, this.#again);
    this.#dialog = element('dialog', { class: 'sheet', 'aria-labelledby': 'check-heading' }, form);
    this.#dialog.addEventListener('close', () => this.emit('close', {}));
    closeOnBackdrop(this.#dialog);
    parent.append(this.#dialog);
  }

  get shown() {
    return this.#dialog.open;
  }

  open() {
    this.#dialog.showModal();
  }

  /** Everything waits. */
  begin() {
    this.#again.disabled = true;
    localize(this.#summary, 'check.running');
    for (const name of this.#rows.keys()) this.show(name, 'waiting');
  }

  /**
   * @param {'waiting' | 'running' | 'good' | 'fair' | 'poor'} state
   * @param {?string} key what was found and what to do next @param {object} [params]
   */
  show(name, state, key = `check.${state}`, params = {}) {
    const { element: row, symbol, text } = this.#rows.get(name);
    row.dataset.state = state;
    setIcon(symbol, ICONS[state]);
    localize(text, key, params);
  }

  /** @param {boolean} good whether nothing has to be done */
  finish(good) {
    this.#again.disabled = false;
    localize(this.#summary, good ? 'check.all_good' : 'check.some_poor');
  }
}

function testRow(name) {
  const symbol = icon('right');
  const text = element('p', { class: 'help', i18n: 'check.waiting' });
  const words = element('div', {}, element('b', { i18n: `check.${name}` }), text);
  const row = element('li', { 'data-state': 'waiting', 'data-check': name }, symbol, words);
  return { element: row, symbol, text };
}

function head() {
  const close = { type: 'submit', class: 'icon-button', label: 'action.close' };
  return element(
    'div',
    { class: 'sheet-head' },
    element('h2', { id: 'check-heading', i18n: 'check.title' }),
    element('button', close, icon('close')),
  );
}
