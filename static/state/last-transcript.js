/** What was said in the last call of a page, kept in this browser until the next one. */

export class LastTranscript {
  #key;
  #storage;

  /** @param {string} name of the page @param {import('./storage.js').SafeStorage} storage */
  constructor(name, storage) {
    [this.#key, this.#storage] = [`${name}_transcript`, storage];
  }

  /** As in lib/recorded-lines.js; none where nothing was kept. @returns {object[]} */
  get lines() {
    const kept = this.#storage.getJson(this.#key);
    return Array.isArray(kept) ? kept.filter(isLine) : [];
  }

  /** Where the browser keeps nothing, they are on the page only. @param {object[]} lines */
  keep(lines) {
    this.#storage.setJson(this.#key, lines);
  }

  forget() {
    this.#storage.remove(this.#key);
  }
}

function isLine(line) {
  const { startMs, endMs, text, pieces } = line ?? {};
  const isText = text === null || typeof text === 'string';
  return isText && [startMs, endMs].every(Number.isFinite) && Array.isArray(pieces);
}
