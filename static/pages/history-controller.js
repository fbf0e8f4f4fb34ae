/** Keeps what is said in the browser's history, and brings conversations back from it. */

import { Conversation } from '../lib/conversation.js';
import { asFailure } from '../lib/failure.js';
import { fromRecord, toRecord } from '../lib/stored-conversation.js';
import { bytesOfItem, itemOfBytes, urlOf } from './message-items.js';

const SAVE_PAUSE_MS = 1000; // while an answer grows
const CURRENT_KEY = 'turnbased_conversation';

export class HistoryController {
  #chat;
  #db;
  #tab;
  #toaster;
  #told = false;
  #waiting = new Set(); // conversations that have changed
  #timer = null;
  #saving = Promise.resolve();

  /**
   * @param {{chat: import('./chat-controller.js').ChatController,
   *          db: import('../state/history-db.js').HistoryDb,
   *          tab: import('../state/storage.js').SafeStorage, toaster: object}} parts
   *        `tab`: what this tab remembers when it is loaded again
   */
  constructor({ chat, db, tab, toaster }) {
    [this.#chat, this.#db, this.#tab, this.#toaster] = [chat, db, tab, toaster];
    chat.on('changed', (conversation) => this.keep(conversation));
    chat.on('answering', (answering) => answering || this.flush());
    chat.on('shown', ({ id }) => this.#tab.setText(CURRENT_KEY, id ?? ''));
  }

  /** Whether conversations can be kept; known after `resume`. */
  get works() {
    return !this.#told;
  }

  /** Shows what this tab showed before it was loaded again. */
  async resume() {
    const id = this.#tab.getText(CURRENT_KEY) ?? '';
    const conversation = await this.#load(id);
    if (!this.#chat.empty) this.keep(this.#chat.conversation);
    else if (conversation !== null) this.#chat.show(conversation);
  }

  /** @returns {Promise<object[]>} records, newest first; empty where nothing can be kept */
  async list() {
    await this.flush();
    return (await this.#try(() => this.#db.list())) ?? [];
  }

  async open(id) {
    await this.flush();
    const conversation = await this.#load(id);
    if (conversation !== null) this.#chat.show(conversation);
  }

  async remove(id) {
    await this.flush();
    await this.#try(() => this.#db.remove(id));
    if (this.#chat.conversation.id === id) this.#chat.show(new Conversation());
  }

  async clear() {
    await this.flush();
    await this.#try(() => this.#db.clear());
    this.#chat.show(new Conversation());
  }

  /** Writes it soon. */
  keep(conversation) {
    this.#waiting.add(conversation);
    this.#timer ??= setTimeout(() => this.flush(), SAVE_PAUSE_MS);
  }

  /** Writes at once what has changed. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    for (const conversation of this.#waiting) {
      this.#saving = this.#saving.then(() => this.#save(conversation));
    }
    this.#waiting.clear();
    return this.#saving;
  }

  async #load(id) {
    const kept = await this.#try(() => this.#db.load(id));
    return kept && fromRecord(kept.record, kept.files, itemOfBytes, urlOf);
  }

  async #save(conversation) {
    if (conversation.empty && conversation.id === null) return;
    const { record, files } = toRecord(conversation, bytesOfItem);
    const change = conversation.empty
      ? () => this.#db.remove(conversation.id)
      : () => this.#db.save(record, files);
    const kept = await this.#try(change);
    if (!kept) return;
    const isCopy = record.id !== null && kept.id !== record.id;
    Object.assign(conversation, kept);
    if (isCopy) this.#toaster.news('history.copied');
    if (conversation === this.#chat.conversation) this.#tab.setText(CURRENT_KEY, kept.id);
  }

  /** Where nothing can be stored this is said once, and the page goes on without. */
  async #try(act) {
    try {
      return await act();
    } catch (error) {
      if (!this.#told) this.#toaster.failure(asFailure(error));
      this.#told = true;
      return null;
    }
  }
}
