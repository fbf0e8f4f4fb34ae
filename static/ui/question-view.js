/** One message of the visitor: its files and words, and what can be done with it. */

import { audioPill } from './audio-pill.js';
import { element, iconButton } from './dom.js';

export class QuestionView {
  #bubble = element('div', { class: 'bubble' });
  #actions;
  #text = '';

  /**
   * @param {object[]} items as in lib/conversation.js
   * @param {{onCopy: (text: string) => void, onEdit: () => void, onResend: () => void,
   *          onRemove: () => void}} actions
   */
  constructor(items, { onCopy, onEdit, onResend, onRemove }) {
    this.#actions = element(
      'div',
      { class: 'message-actions' },
      iconButton('copy', 'message.copy', () => onCopy(this.#text)),
      iconButton('edit', 'message.edit', onEdit),
      iconButton('again', 'message.resend', onResend),
      iconButton('trash', 'message.remove', onRemove),
    );
    const attributes = { class: 'message question', named: 'chat.you' };
    this.element = element('article', attributes, this.#bubble, this.#actions);
    this.show(items);
  }

  show(items) {
    const texts = items.filter((item) => item.type === 'text');
    this.#text = texts.map((item) => item.text).join('\n');
    this.#actions.firstElementChild.hidden = this.#text === '';
    this.#bubble.replaceChildren(...items.map(itemElement));
  }

  /** Lets an editor take the place of the message. @returns {() => void} ends it */
  edit(editor) {
    this.element.classList.add('editing');
    this.element.append(editor);
    return () => {
      editor.remove();
      this.element.classList.remove('editing');
      this.#actions.children[1].focus();
    };
  }
}

function itemElement(item) {
  if (item.type === 'text') return element('p', { class: 'question-text', text: item.text });
  if (item.type === 'audio') return audioPill(item);
  const { url, name, width, height } = item;
  if (item.type === 'video') {
    const options = { class: 'clip', src: url, controls: true, playsinline: true, preload: 'metadata' };
    return element('video', { ...options, 'aria-label': name });
  }
  const image = element('img', { src: url, alt: name, loading: 'lazy' });
  [image.width, image.height] = [width, height]; // reserves the room before it is decoded
  return element('a', { href: url, target: '_blank', class: 'picture' }, image);
}
