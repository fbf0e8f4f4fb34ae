/** A browser store that never throws: private mode, full quotas and bad JSON count as empty. */
export class SafeStorage {
  #storage;

  /** @param {() => Storage} open even reading `window.localStorage` may throw */
  constructor(open = () => globalThis.localStorage) {
    try {
      this.#storage = open();
    } catch {
      this.#storage = null;
    }
  }

  /** @returns {?string} */
  getText(key) {
    try {
      return this.#storage?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  /** @returns {boolean} whether it was kept */
  setText(key, text) {
    try {
      this.#storage.setItem(key, text);
      return true;
    } catch {
      return false;
    }
  }

  getJson(key) {
    try {
      return JSON.parse(this.getText(key));
    } catch {
      return null;
    }
  }

  setJson(key, value) {
    return this.setText(key, JSON.stringify(value));
  }

  remove(key) {
    try {
      this.#storage?.removeItem(key);
    } catch {
      // nothing was kept, so nothing needs to be removed
    }
  }
}
