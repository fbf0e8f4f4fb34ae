/** Short messages in a corner: news leave by themselves, failures stay until closed. */

import { element, icon, iconButton } from './dom.js';
import { failureText } from './failure-text.js';

const NEWS_MS = 6000;

export class Toaster {
  #container;

  constructor(container) {
    this.#container = container;
  }

  /** @param {string} key dictionary entry @param {object} [params] */
  news(key, params) {
    const toast = this.#show('info', [element('p', { i18n: key, params })]);
    setTimeout(() => toast.remove(), NEWS_MS);
  }

  /** @param {string} titleKey @param {string} hintKey */
  warn(titleKey, hintKey) {
    const title = element('p', { class: 'toast-title', i18n: titleKey });
    this.#show('alert', [title, element('p', { i18n: hintKey })]);
  }

  /** @param {import('../lib/failure.js').Failure} failure */
  failure(failure) {
    this.#show('alert', failureText(failure));
  }

  #show(symbol, content) {
    const role = symbol === 'alert' ? 'alert' : 'status';
    const text = element('div', { class: 'toast-text' }, ...content);
    const toast = element('div', { class: `toast ${symbol}`, role }, icon(symbol), text);
    toast.append(iconButton('close', 'action.close', () => toast.remove()));
    this.#container.append(toast);
    return toast;
  }
}
