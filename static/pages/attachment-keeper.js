/** Keeps what is attached and not yet sent, so that it is there when this tab is loaded again. */

import { MAX_KEPT_ATTACHMENT_BYTES } from '../lib/limits.js';
import { keepItem, restoreItem } from '../lib/stored-conversation.js';
import { HistoryDb } from '../state/history-db.js';
import { bytesOfItem, itemOfBytes } from './message-items.js';

const DATABASE = 'minicpmo_attachments';
const KEPT_KEY = 'turnbased_attachments';
const LIFE_MS = 24 * 3600 * 1000; // of what a tab left that was closed

export class AttachmentKeeper {
  #attachments;
  #tab;
  #toaster;
  #db;
  #limitBytes;
  #kept = { id: null, revision: 0 };
  #told = new Set();
  #working = Promise.resolve();
  #waiting = false;

  /**
   * @param {{attachments: import('./attachment-controller.js').AttachmentController,
   *          tab: import('../state/storage.js').SafeStorage, toaster: object, db?: HistoryDb,
   *          limitBytes?: number}} parts
   */
  constructor({
    attachments,
    tab,
    toaster,
    db = new HistoryDb(undefined, DATABASE),
    limitBytes = MAX_KEPT_ATTACHMENT_BYTES,
  }) {
    [this.#attachments, this.#tab, this.#toaster] = [attachments, tab, toaster];
    [this.#db, this.#limitBytes] = [db, limitBytes];
  }

  /** Brings back what this tab had. */
  resume() {
    this.#working = this.#bringBack().catch(() => {}); // nothing was kept, or it cannot be read
    return this.#working;
  }

  /** Writes what is attached now, once what is being done is done. */
  keep() {
    if (this.#waiting) return this.#working;
    this.#waiting = true;
    this.#working = this.#working.then(() => {
      this.#waiting = false;
      return this.#write().catch(() => this.#tell('file.not_kept'));
    });
    return this.#working;
  }

  async #bringBack() {
    const id = this.#tab.getText(KEPT_KEY) ?? '';
    const kept = id === '' ? null : await this.#db.load(id);
    await this.#forgetOld();
    if (kept === null) return;
    const { record, files } = kept;
    this.#kept = { id, revision: record.revision };
    for (const item of record.items) {
      this.#attachments.addItem(restoreItem(item, files, itemOfBytes));
    }
  }

  async #forgetOld() {
    const oldest = Date.now() - LIFE_MS;
    for (const { id, updatedMs } of await this.#db.list()) {
      if (updatedMs < oldest) await this.#db.remove(id);
    }
  }

  async #write() {
    const items = this.#fitting();
    const { id } = this.#kept;
    if (items.length > 0) {
      const files = new Map();
      const kept = items.map((item) => keepItem(item, files, bytesOfItem));
      const record = { ...this.#kept, updatedMs: Date.now(), items: kept };
      this.#kept = await this.#db.save(record, files);
    } else if (id !== null) {
      await this.#db.remove(id);
      this.#kept = { id: null, revision: 0 };
    }
    this.#tab.setText(KEPT_KEY, this.#kept.id ?? '');
  }

  /** The first ones, as many as may be kept. */
  #fitting() {
    let bytes = 0;
    const { items } = this.#attachments;
    const fitting = items.filter(({ data }) => {
      bytes += (data.length * 3) / 4;
      return bytes <= this.#limitBytes;
    });
    if (fitting.length < items.length) this.#tell('file.not_all_kept');
    return fitting;
  }

  /** Once. */
  #tell(key) {
    if (!this.#told.has(key)) this.#toaster.news(key);
    this.#told.add(key);
  }
}
