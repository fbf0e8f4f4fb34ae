/** Questions that need an answer before going on; the native element traps and restores focus. */

import { element } from './dom.js';

/**
 * @param {{titleKey: string, textKey: string, confirmKey: string}} keys
 * @returns {Promise<boolean>} whether the visitor agreed
 */
export function confirmInDialog({ titleKey, textKey, confirmKey }) {
  const dialog = element(
    'dialog',
    { class: 'confirm', 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text' },
    element('h2', { id: 'confirm-title', i18n: titleKey }),
    element('p', { id: 'confirm-text', i18n: textKey }),
    element(
      'form',
      { method: 'dialog', class: 'dialog-actions' },
      element('button', { class: 'button', value: 'no', i18n: 'action.cancel' }),
      element('button', { class: 'button primary', value: 'yes', i18n: confirmKey }),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

/** A click on the backdrop closes a dialog, as Esc does. */
export function closeOnBackdrop(dialog) {
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
}
