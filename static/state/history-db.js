/**
 * The conversations of this browser, in its database, or in one of another name what else has files.
 * What a conversation says and its files lie apart, so that the list of them loads no sound and each
 * file is written once.
 */

import { Failure } from '../lib/failure.js';
import { newId } from '../lib/ids.js';

const NAME = 'minicpmo_history';
const VERSION = 1;
const CONVERSATIONS = 'conversations';
const FILES = 'files';
const BOTH = [CONVERSATIONS, FILES];

export class HistoryDb {
  #opening = null;
  #indexedDB;
  #name;

  /** @param {() => IDBFactory} open even reading `window.indexedDB` may throw @param {string} name */
  constructor(open = () => globalThis.indexedDB, name = NAME) {
    [this.#indexedDB, this.#name] = [open, name];
  }

  /** @returns {Promise<object[]>} their records, last used first @throws {Failure} */
  async list() {
    const records = await this.#do('readonly', ({ conversations }) => conversations.getAll());
    return records.sort((a, b) => b.updatedMs - a.updatedMs);
  }

  /**
   * @returns {Promise<?{record: object, files: Map<string, Uint8Array>}>} null if it was deleted
   * @throws {Failure}
   */
  async load(id) {
    let [record, files] = [];
    await this.#do('readonly', (stores) => {
      record = stores.conversations.get(id);
      files = stores.files.getAll(rangeOf(id));
      return files;
    });
    if (record.result === undefined) return null;
    return { record: record.result, files: new Map(files.result.map(({ file, bytes }) => [file, bytes])) };
  }

  /**
   * Writes a conversation, unless another tab has written it since `record.revision`: then this one
   * becomes a conversation of its own.
   *
   * @param {object} record `id` is null for a new one
   * @param {Map<string, () => Uint8Array>} files all that the record names
   * @returns {Promise<{id: string, revision: number}>} under which it is kept now @throws {Failure}
   */
  async save(record, files) {
    const kept = { ...record };
    await this.#do('readwrite', (stores) => {
      const { conversations } = stores;
      if (record.id === null) return writeAs(newId('talk'), kept, files, stores);
      const stored = conversations.get(record.id);
      stored.onsuccess = () => {
        const revision = stored.result?.revision ?? record.revision;
        const id = revision === record.revision ? record.id : newId('talk');
        writeAs(id, kept, files, stores);
      };
      return stored;
    });
    return { id: kept.id, revision: kept.revision };
  }

  /** @throws {Failure} */
  remove(id) {
    return this.#do('readwrite', ({ conversations, files }) => {
      files.delete(rangeOf(id));
      return conversations.delete(id);
    });
  }

  /** @throws {Failure} */
  clear() {
    return this.#do('readwrite', ({ conversations, files }) => {
      files.clear();
      return conversations.clear();
    });
  }

  /** One transaction; resolves to the result of the request that `act` returns. */
  async #do(access, act) {
    try {
      this.#opening ??= this.#open();
      const transaction = (await this.#opening).transaction(BOTH, access);
      const [conversations, files] = BOTH.map((name) => transaction.objectStore(name));
      const request = act({ conversations, files });
      await finished(transaction);
      return request?.result;
    } catch (error) {
      const code = error.name === 'QuotaExceededError' ? 'history_full' : 'history_blocked';
      throw new Failure(code, { cause: error });
    }
  }

  async #open() {
    const request = this.#indexedDB().open(this.#name, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(CONVERSATIONS, { keyPath: 'id' });
      request.result.createObjectStore(FILES, { keyPath: ['conversation', 'file'] });
    };
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }
}

/** Files that lie there already are not written again; those that nothing names go. */
function writeAs(id, record, files, stores) {
  Object.assign(record, { id, revision: record.revision + 1 });
  stores.conversations.put(record);
  const known = stores.files.getAllKeys(rangeOf(id));
  known.onsuccess = () => {
    const there = new Set(known.result.map(([, file]) => file));
    for (const file of there) if (!files.has(file)) stores.files.delete([id, file]);
    for (const [file, read] of files) {
      if (!there.has(file)) stores.files.put({ conversation: id, file, bytes: read() });
    }
  };
  return known;
}

/** The keys of all files of a conversation; arrays come after all strings. */
function rangeOf(id) {
  return IDBKeyRange.bound([id], [id, []]);
}

function finished(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}
