/** Files of a message: each can be looked at, moved by drag or by button, and removed. */

import { audioPill } from './audio-pill.js';
import { element, iconButton } from './dom.js';

export class AttachmentList {
  #list;
  #entries = new Map(); // id -> list item
  #dragged = null;
  #onRemove;
  #onMove;

  /**
   * @param {HTMLUListElement} list
   * @param {(id: number) => void} onRemove @param {() => void} [onMove] when the order has changed
   */
  constructor(list, onRemove, onMove = () => {}) {
    this.#list = list;
    [this.#onRemove, this.#onMove] = [onRemove, onMove];
    list.addEventListener('dragover', (event) => this.#dragOver(event));
    list.addEventListener('drop', (event) => this.#drop(event));
  }

  /** The ids in the order that is shown. */
  get order() {
    const ids = new Map([...this.#entries].map(([id, entry]) => [entry, id]));
    return [...this.#list.children].map((entry) => ids.get(entry));
  }

  /** A place for a file that is still being read. */
  addPreparing(id, name) {
    const spinner = element('span', { class: 'dots', 'aria-hidden': 'true' });
    const text = element('span', { i18n: 'composer.preparing', params: { name } });
    this.#put(id, element('li', { class: 'attachment preparing', role: 'status' }, spinner, text));
  }

  /** @param {number} id @param {object} item as in lib/conversation.js */
  add(id, item) {
    const params = { name: item.name };
    const button = (symbol, key, onclick, more = '') =>
      iconButton(symbol, key, onclick, { params, class: `icon-button ${more}` });
    const moves = element(
      'span',
      { class: 'moves' },
      button('left', 'composer.earlier', () => this.#move(id, -1)),
      button('right', 'composer.later', () => this.#move(id, 1)),
    );
    const remove = button('close', 'action.remove', () => this.#onRemove(id), 'remove');
    const entry = element(
      'li',
      {
        class: `attachment ${item.type}`,
        draggable: 'true',
        ondragstart: (event) => this.#drag(event, entry),
        ondragend: () => this.#endDrag(),
      },
      contentOf(item),
      moves,
      remove,
    );
    this.#put(id, entry);
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

  /** The focus stays on the button, so that it can be pressed again. */
  #move(id, step) {
    const entry = this.#entries.get(id);
    const { activeElement } = document;
    if (step < 0) entry.previousElementSibling?.before(entry);
    else entry.nextElementSibling?.after(entry);
    activeElement.focus();
    this.#onMove();
  }

  #drag(event, entry) {
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', '');
    this.#dragged = entry;
    entry.classList.add('dragged');
  }

  /** The entry goes where it would be dropped. */
  #dragOver(event) {
    const over = event.target.closest('.attachment');
    if (this.#dragged === null || over === null) return;
    event.preventDefault();
    if (over === this.#dragged) return;
    const { left, width } = over.getBoundingClientRect();
    if (event.clientX < left + width / 2) over.before(this.#dragged);
    else over.after(this.#dragged);
  }

  #drop(event) {
    if (this.#dragged !== null) event.preventDefault();
  }

  #endDrag() {
    this.#dragged?.classList.remove('dragged');
    this.#dragged = null;
    this.#onMove();
  }
}

function contentOf(item) {
  if (item.type === 'audio') return audioPill(item);
  const look = async () => (await import('./preview-dialog.js')).showPreview(item);
  const options = { type: 'button', class: 'look', label: 'composer.look', onclick: look };
  const button = element('button', { ...options, params: { name: item.name } });
  if (item.type === 'image') button.append(element('img', { src: item.url, alt: item.name, draggable: 'false' }));
  else button.append(element('video', { src: item.url, muted: true, preload: 'metadata' }));
  return button;
}
