/** Text that is plain at one time and of the dictionary at another. */

import { localize } from '../i18n/index.js';

/** @param {HTMLElement} node @param {string | {i18n: string, params?: object}} text */
export function setText(node, text) {
  if (typeof text === 'object') {
    localize(node, text.i18n, text.params);
    return;
  }
  delete node.dataset.i18n;
  delete node.dataset.i18nParams;
  if (node.textContent !== text) node.textContent = text;
}
