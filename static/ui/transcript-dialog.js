/** What was said in a call: searched, copied, saved. */

import { clockText } from '../lib/clock-text.js';
import { closeOnBackdrop } from './dialog.js';
import { element, icon } from './dom.js';

/** @param {object[]} lines as in lib/recorded-lines.js @param {HTMLElement} bar to take them along */
export function showTranscript(lines, bar) {
  const list = element('ol', { class: 'transcript-lines' });
  const none = element('p', { class: 'quiet', role: 'status', i18n: 'transcript.none', hidden: true });
  const find = (words) => {
    const found = lines.filter(({ text }) => (text ?? '').toLowerCase().includes(words.toLowerCase()));
    list.replaceChildren(...found.map(lineRow));
    none.hidden = found.length > 0;
  };
  const oninput = ({ target }) => find(target.value);
  const search = element('input', { type: 'search', id: 'transcript-search', oninput });
  const label = element('label', { for: 'transcript-search', i18n: 'transcript.search' });
  const form = element('form', { method: 'dialog', class: 'sheet-form' }, head());
  form.append(bar, element('div', { class: 'field' }, label, search), none, list);
  const dialog = element('dialog', { class: 'sheet', 'aria-labelledby': 'transcript-heading' }, form);
  dialog.addEventListener('close', () => dialog.remove());
  closeOnBackdrop(dialog);
  document.body.append(dialog);
  find('');
  dialog.showModal();
}

function lineRow({ role, startMs, text }) {
  const name = element('b', { i18n: role === 'user' ? 'chat.you' : 'call.model' });
  const time = element('span', { class: 'entry-time', text: clockText(startMs / 1000) });
  const words = text === null ? { class: 'quiet', i18n: 'export.untold' } : { text };
  return element('li', {}, element('p', { class: 'entry-head' }, name, time), element('p', words));
}

function head() {
  const close = { type: 'submit', class: 'icon-button', label: 'action.close' };
  return element(
    'div',
    { class: 'sheet-head' },
    element('h2', { id: 'transcript-heading', i18n: 'call.transcript' }),
    element('button', close, icon('close')),
  );
}
