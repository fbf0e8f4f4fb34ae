/** What will go with the next message: pictures and sounds, each of which can be removed. */

import { audioPill } from './audio-pill.js';
import { element, iconButton } from './dom.js';

export class AttachmentList {
  #list;
  #entries = new Map();

  /** @param {HTMLUListElement} list @param {(id: number) => void} onRemove */
  constructor(list, onRemove) {
    this.#list = list;
    this.onRemove = onRemove;
  }

  /** A place for a file that is still being read. */
  addPreparing(id, name) {
    const spinner = element('span', { class: 'dots', 'aria-hidden': 'true' });
    const text = element('span', { i18n: 'composer.preparing', params: { name } });
    this.#put(id, element('li', { class: 'attachment preparing', role: 'status' }, spinner, text));
  }

  /** @param {number} id @param {object} item as in lib/conversation.js */
  add(id, item) {
    const remove = iconButton('close', 'action.remove', () => this.onRemove(id), {
      params: { name: item.name },
      class: 'icon-button remove',
    });
    const content =
      item.type === 'image'
        ? element('img', { src: item.url, alt: item.name, title: item.name })
        : audioPill(item);
    this.#put(id, element('li', { class: `attachment ${item.type}` }, content, remove));
  }

  remove(id) {
    this.#entries.get(id)?.remove();
    this.#entries.delete(id);
    this.#list.hidden = this.#entries.size === 0;
  }

  #put(id, entry) {
    const previous = this.#entries.get(id);
    if (previous) previous.replaceWith(entry);
    else this.#list.append(entry);
    this.#entries.set(id, entry);
    this.#list.hidden = false;
  }
}
