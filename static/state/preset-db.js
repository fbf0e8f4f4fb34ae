/** Presets of one's own and what was last written, in the browser's database, sound included. */

import { Failure } from '../lib/failure.js';

const NAME = 'minicpmo_presets';
const VERSION = 1;
const PRESETS = 'presets';
const DRAFTS = 'drafts';

/** What cannot be read counts as empty. */
export class PresetDb {
  #opening = null;
  #indexedDB;

  /** @param {() => IDBFactory} open even reading `window.indexedDB` may throw */
  constructor(open = () => globalThis.indexedDB) {
    this.#indexedDB = open;
  }

  /** @returns {Promise<object[]>} the presets of a mode, oldest first */
  async list(mode) {
    const presets = await this.#do(PRESETS, 'readonly', (store) => store.getAll()).catch(() => []);
    return presets.filter((preset) => preset.mode === mode).sort((a, b) => a.savedAt - b.savedAt);
  }

  /** @param {object} preset with an `id` and `savedAt` @throws {Failure} */
  async keep(preset) {
    await this.#do(PRESETS, 'readwrite', (store) => store.put(preset)).catch((error) => {
      throw new Failure('preset_not_kept', { message: error.message, cause: error });
    });
  }

  /** @throws {Failure} */
  async remove(id) {
    await this.#do(PRESETS, 'readwrite', (store) => store.delete(id)).catch((error) => {
      throw new Failure('preset_not_kept', { message: error.message, cause: error });
    });
  }

  /** @returns {Promise<?object>} what was last written in a mode */
  async draft(mode) {
    const kept = await this.#do(DRAFTS, 'readonly', (store) => store.get(mode)).catch(() => null);
    return kept?.draft ?? null;
  }

  /** @returns {Promise<boolean>} whether it was kept */
  keepDraft(mode, draft) {
    return this.#do(DRAFTS, 'readwrite', (store) => store.put({ mode, draft })).then(
      () => true,
      () => false,
    );
  }

  async #do(name, access, act) {
    this.#opening ??= this.#open();
    const db = await this.#opening;
    return settled(act(db.transaction(name, access).objectStore(name)));
  }

  async #open() {
    const request = this.#indexedDB().open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(PRESETS, { keyPath: 'id' });
      request.result.createObjectStore(DRAFTS, { keyPath: 'mode' });
    };
    return settled(request);
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
