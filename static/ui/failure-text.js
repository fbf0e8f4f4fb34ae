/** What is said about a failure: what happened, what to do, and the server's own words. */

import { element, icon } from './dom.js';

/** @param {import('../lib/failure.js').Failure} failure @returns {HTMLElement[]} */
export function failureText(failure) {
  const { key, params } = failure;
  const lines = [
    element('p', { class: 'failure-title', i18n: `failure.${key}.title`, params }),
    element('p', { i18n: `failure.${key}.hint`, params }),
  ];
  if (failure.field && !failure.detail.includes(failure.field)) {
    const field = { field: failure.field };
    lines.push(element('p', { class: 'failure-detail', i18n: 'failure.field', params: field }));
  }
  if (failure.detail) {
    lines.push(element('p', { class: 'failure-detail', text: failure.detail }));
  }
  return lines;
}

/**
 * A failure told in place, with the button that helps.
 * @param {Record<string, {key: string, run: () => void}>} remedies by the failure's remedy
 */
export function failureCard(failure, remedies) {
  const text = element('div', { class: 'failure-text' }, ...failureText(failure));
  const remedy = remedies[failure.remedy];
  if (remedy !== undefined) {
    const attributes = { type: 'button', class: 'button', i18n: remedy.key, onclick: remedy.run };
    text.append(element('button', attributes));
  }
  return element('div', { class: 'failure', role: 'alert' }, icon('alert'), text);
}
