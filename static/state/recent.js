/** The recordings this browser has shared, the newest first. */

const KEY = 'minicpmo45_recent_sessions';
const MOST = 20;

export class RecentSessions {
  #storage;

  /** @param {import('./storage.js').SafeStorage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @returns {{id: string, appType: string, savedAt: string}[]} `savedAt` in ISO 8601 */
  get list() {
    const stored = this.#storage.getJson(KEY);
    return Array.isArray(stored) ? stored.filter(isWhole).slice(0, MOST) : [];
  }

  /** Puts a recording in front, wherever it was before. */
  add({ id, appType, savedAt = new Date().toISOString() }) {
    const others = this.list.filter((session) => session.id !== id);
    this.#storage.setJson(KEY, [{ id, appType, savedAt }, ...others].slice(0, MOST));
  }

  /** Forgets one that is gone. */
  remove(id) {
    this.#storage.setJson(KEY, this.list.filter((session) => session.id !== id));
  }

  clear() {
    this.#storage.remove(KEY);
  }
}

function isWhole(session) {
  const { id, appType, savedAt } = session ?? {};
  const isDated = !Number.isNaN(new Date(savedAt ?? NaN).getTime());
  return typeof id === 'string' && typeof appType === 'string' && isDated;
}
