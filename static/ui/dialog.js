/** Questions that need an answer before going on; the native element traps and restores focus. */

import { element } from './dom.js';

/**
 * @param {{titleKey: string, textKeys: string[],
 *          answers: {value: string, key: string, primary?: boolean}[],
 *          params?: object}} question `params`: for title and text
 * @returns {Promise<string>} the value of the answer, '' when the dialog was closed without one
 */
export function askInDialog({ titleKey, textKeys, answers, params }) {
  const texts = textKeys.map((key) => element('p', { i18n: key, params }));
  const buttons = answers.map(({ value, key, primary = false }) =>
    element('button', { class: primary ? 'button primary' : 'button', value, i18n: key }),
  );
  const dialog = element(
    'dialog',
    { class: 'confirm', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text' },
    element('h2', { id: 'confirm-title', i18n: titleKey, params }),
    element('div', { id: 'confirm-text' }, ...texts),
    element('form', { method: 'dialog', class: 'dialog-actions' }, ...buttons),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

/**
 * @param {{titleKey: string, textKey: string, confirmKey: string, params?: object}} question
 * @returns {Promise<boolean>} whether the visitor agreed
 */
export async function confirmInDialog({ titleKey, textKey, confirmKey, params }) {
  const answers = [
    { value: 'no', key: 'action.cancel' },
    { value: 'yes', key: confirmKey, primary: true },
  ];
  return (await askInDialog({ titleKey, textKeys: [textKey], answers, params })) === 'yes';
}

/** A click on the backdrop closes a dialog, as Esc does. */
export function closeOnBackdrop(dialog) {
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
}
