/** Asks for the key of the service; what lies behind it stays as it is. */

import { localize } from '../i18n/index.js';
import { element } from './dom.js';
import { failureText } from './failure-text.js';

/**
 * @param {(key: string) => Promise<boolean>} tryKey whether it is right @throws {Failure}
 * @returns {Promise<boolean>} whether the visitor has signed in; false when the question was closed
 */
export function askForKey(tryKey) {
  const notes = element('div', { class: 'sign-in-notes', role: 'alert' });
  const key = element('input', {
    id: 'sign-in-key',
    type: 'password',
    required: true,
    autocomplete: 'current-password',
    'aria-describedby': 'sign-in-text',
  });
  const submit = element('button', { type: 'submit', class: 'button primary', i18n: 'login.submit' });
  const close = { type: 'button', class: 'button', i18n: 'action.cancel' };
  const form = element('form', { novalidate: true },
    element('div', { class: 'field' },
      element('label', { for: 'sign-in-key', i18n: 'login.key' }), key), notes,
    element('div', { class: 'dialog-actions' },
      element('button', { ...close, onclick: () => dialog.close() }), submit));
  const dialog = element('dialog', { class: 'confirm sign-in', 'aria-labelledby': 'sign-in-title' },
    element('h2', { id: 'sign-in-title', i18n: 'login.title' }),
    element('p', { id: 'sign-in-text', i18n: 'login.text' }), form);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (submit.disabled || key.value.trim() === '') return;
    busy(submit, true);
    notes.replaceChildren(...(await faults(tryKey, key.value.trim())));
    busy(submit, false);
    if (notes.childElementCount === 0) dialog.close('signed in');
    else key.select();
  });
  document.body.append(dialog);
  dialog.showModal();
  key.focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue !== '');
    });
  });
}

async function faults(tryKey, key) {
  try {
    return (await tryKey(key)) ? [] : [element('p', { i18n: 'login.wrong' })];
  } catch (failure) {
    return failureText(failure);
  }
}

function busy(submit, isBusy) {
  submit.disabled = isBusy;
  localize(submit, isBusy ? 'login.checking' : 'login.submit');
}
