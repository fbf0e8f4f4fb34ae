/** Keeps what was used last, so that memory stays flat however long something is looked at. */
export class BoundedMap {
  #limit;
  #entries = new Map();
  #onDrop;

  /** @param {number} limit @param {(value: any) => void} [onDrop] frees what is let go */
  constructor(limit, onDrop = () => {}) {
    [this.#limit, this.#onDrop] = [limit, onDrop];
  }

  has(key) {
    return this.#entries.has(key);
  }

  get(key) {
    if (!this.#entries.has(key)) return undefined;
    const value = this.#entries.get(key);
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key, value) {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return;
    const [oldest, dropped] = this.#entries.entries().next().value;
    this.#entries.delete(oldest);
    this.#onDrop(dropped);
  }
}
