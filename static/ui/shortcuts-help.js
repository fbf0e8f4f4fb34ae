/** Tells the keys of a call. */

import { closeOnBackdrop } from './dialog.js';
import { element, icon } from './dom.js';
import { SHORTCUTS } from './shortcuts.js';

const KEY_NAMES = { ' ': 'keys.space', Escape: 'keys.escape' };
const NOT_IN_TURNS = ['pause', 'force-listen'];

/** @param {string} page the name of the page, whose calls may not have every key */
export function showShortcuts(page) {
  const rows = Object.entries(SHORTCUTS)
    .filter(([, name]) => page !== 'half_duplex' || !NOT_IN_TURNS.includes(name))
    .map(([key, name]) => keyRow(key, name));
  const close = { type: 'submit', class: 'icon-button', label: 'action.close' };
  const head = element(
    'div',
    { class: 'sheet-head' },
    element('h2', { id: 'keys-heading', i18n: 'keys.title' }),
    element('button', close, icon('close')),
  );
  const list = element('dl', { class: 'keys' }, ...rows);
  const note = element('p', { class: 'help', i18n: 'keys.note' });
  const form = element('form', { method: 'dialog' }, head, list, note);
  const dialog = element('dialog', { class: 'confirm', 'aria-labelledby': 'keys-heading' }, form);
  dialog.addEventListener('close', () => dialog.remove());
  closeOnBackdrop(dialog);
  document.body.append(dialog);
  dialog.showModal();
}

function keyRow(key, name) {
  const shown = key in KEY_NAMES ? { i18n: KEY_NAMES[key] } : { text: key.toUpperCase() };
  const words = name === 'escape' ? 'keys.escape_does' : `keys.${name.replaceAll('-', '_')}`;
  return element('div', {}, element('dt', {}, element('kbd', shown)), element('dd', { i18n: words }));
}
