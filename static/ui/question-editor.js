/** Edits a message in its place: words, and the order of its files. Loaded with the first edit. */

import { AttachmentList } from './attachment-list.js';
import { element } from './dom.js';

/**
 * @param {object[]} items as in lib/conversation.js
 * @param {(edited: ?{items: object[], resend: boolean}) => void} onEnd null: given up
 * @returns {HTMLFormElement}
 */
export function questionEditor(items, onEnd) {
  const isText = (item) => item.type === 'text';
  const texts = items.filter(isText).map((item) => item.text);
  const files = items.filter((item) => !isText(item));
  const list = element('ul', { class: 'attachments', named: 'composer.attachments', hidden: true });
  const attachments = new AttachmentList(list, (index) => {
    attachments.remove(index);
    refresh();
  });
  files.forEach((item, index) => attachments.add(index, item));
  const field = element('textarea', { class: 'draft', rows: '3', maxlength: '100000', named: 'composer.label' });
  field.value = texts.join('\n');
  const edited = () => {
    const text = field.value.trim();
    const kept = attachments.order.map((index) => files[index]);
    return text === '' ? kept : [...kept, { type: 'text', text }];
  };
  const end = (resend) => {
    if (edited().length > 0) onEnd({ items: edited(), resend });
  };
  const button = (key, onclick, more = {}) =>
    element('button', { type: 'button', class: 'button', i18n: key, onclick, ...more });
  const save = button('message.save', () => end(false));
  const resend = button('message.save_resend', () => {}, { type: 'submit', class: 'button primary' });
  const refresh = () => {
    save.disabled = resend.disabled = edited().length === 0;
  };
  const buttons = [button('action.cancel', () => onEnd(null)), save, resend];
  const form = element(
    'form',
    {
      class: 'editor',
      onsubmit: (event) => {
        event.preventDefault();
        end(true);
      },
      onkeydown: (event) => {
        if (event.key !== 'Escape' || event.isComposing) return;
        event.stopPropagation();
        onEnd(null);
      },
      oninput: refresh,
    },
    list,
    field,
    element('div', { class: 'dialog-actions' }, ...buttons),
  );
  queueMicrotask(() => field.focus());
  return form;
}
