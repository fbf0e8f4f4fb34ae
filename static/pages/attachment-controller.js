/** The files and recordings that go with the next message, in their order. */

import { t } from '../i18n/index.js';
import { asFailure, Failure } from '../lib/failure.js';
import { MAX_ATTACHMENTS } from '../lib/limits.js';
import { AttachmentList } from '../ui/attachment-list.js';
import { itemOfFile, itemOfSamples } from './message-items.js';

export class AttachmentController {
  #items = new Map(); // id -> item; null while it is being prepared
  #nextId = 1;
  #view;
  #toaster;
  #onChange;

  /** @param {{list: HTMLElement, toaster: object, onChange: (state: object) => void}} options */
  constructor({ list, toaster, onChange }) {
    const onMove = () => this.#changed();
    this.#view = new AttachmentList(list, (id) => this.#discard(id), onMove);
    this.#toaster = toaster;
    this.#onChange = onChange;
  }

  /** Those that are ready, in the order of the list. */
  get items() {
    return this.#view.order.map((id) => this.#items.get(id)).filter((item) => item !== null);
  }

  addFiles(files) {
    return Promise.all(files.map((file) => this.#addFile(file)));
  }

  /** @param {Float32Array} samples at 16 kHz */
  addRecording(samples) {
    this.addItem(itemOfSamples(samples, t('recording.name')));
  }

  /** @param {object} item as in lib/conversation.js */
  addItem(item) {
    this.#show(this.#newId(), item);
  }

  /** Hands the items over to a message, in the order of the list, with their object URLs. */
  take() {
    const { items } = this;
    for (const id of [...this.#items.keys()]) this.#remove(id);
    return items;
  }

  async #addFile(file) {
    if (this.#items.size >= MAX_ATTACHMENTS) {
      this.#toaster.failure(new Failure('too_many_files', { params: { limit: MAX_ATTACHMENTS } }));
      return;
    }
    const id = this.#newId();
    this.#items.set(id, null);
    this.#view.addPreparing(id, file.name);
    this.#changed();
    try {
      const item = await itemOfFile(file, (key, params) => this.#toaster.news(key, params));
      if (this.#items.has(id)) this.#show(id, item);
      else URL.revokeObjectURL(item.url); // removed while it was being prepared
    } catch (error) {
      this.#remove(id);
      this.#toaster.failure(asFailure(error));
    }
  }

  #newId() {
    this.#nextId += 1;
    return this.#nextId;
  }

  #show(id, item) {
    this.#items.set(id, item);
    this.#view.add(id, item);
    this.#changed();
  }

  #discard(id) {
    URL.revokeObjectURL(this.#items.get(id)?.url);
    this.#remove(id);
  }

  #remove(id) {
    this.#items.delete(id);
    this.#view.remove(id);
    this.#changed();
  }

  #changed() {
    const items = [...this.#items.values()];
    this.#onChange({ count: items.length, preparing: items.includes(null) });
  }
}
