/**
 * Values that the server tells again and again, and what somebody writes over them meanwhile. A
 * field that is being edited keeps what was written until that is saved or given up.
 */
export class Draft {
  #edited = new Map();
  #held = null;

  /** The cursor is in this field, or with null in none. */
  hold(name) {
    this.#held = name;
  }

  edit(name, value) {
    this.#edited.set(name, value);
  }

  /** @param {Record<string, unknown>} values @returns {object} those that may be shown */
  accept(values) {
    const free = ([name]) => name !== this.#held && !this.#edited.has(name);
    return Object.fromEntries(Object.entries(values).filter(free));
  }

  get changes() {
    return Object.fromEntries(this.#edited);
  }

  /** What was written is saved or given up; later edits, which differ from `saved`, stay. */
  settle(saved = this.changes) {
    for (const [name, value] of Object.entries(saved)) {
      if (this.#edited.get(name) === value) this.#edited.delete(name);
    }
  }
}
