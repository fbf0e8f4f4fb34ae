/** Which parts of a page are to be asked for when, and since when what is shown is out of date. */
export class PollSchedule {
  #parts = new Map();
  #running = false;

  /** @param {Record<string, number>} periodsMs time from one round to the next, by part */
  constructor(periodsMs) {
    for (const [name, periodMs] of Object.entries(periodsMs)) {
      this.#parts.set(name, { periodMs, dueMs: 0, answeredMs: null, failing: false });
    }
  }

  /** @returns {?string[]} the parts to ask for now; null while a round still goes on */
  begin(nowMs) {
    if (this.#running) return null;
    this.#running = true;
    const due = [...this.#parts].filter(([, part]) => part.dueMs <= nowMs);
    for (const [, part] of due) part.dueMs = nowMs + part.periodMs;
    return due.map(([name]) => name);
  }

  end() {
    this.#running = false;
  }

  /** Makes parts due at once, all of them unless some are named. */
  hurry(names = [...this.#parts.keys()]) {
    for (const name of names) this.#parts.get(name).dueMs = 0;
  }

  /** @returns {number} milliseconds until the next part is due */
  waitMs(nowMs) {
    const next = Math.min(...[...this.#parts.values()].map(({ dueMs }) => dueMs));
    return Math.max(0, next - nowMs);
  }

  answered(name, nowMs) {
    Object.assign(this.#parts.get(name), { answeredMs: nowMs, failing: false });
  }

  failed(name) {
    this.#parts.get(name).failing = true;
  }

  /** What a part showed counts no more, for instance because nobody may ask for it now. */
  forget(name) {
    Object.assign(this.#parts.get(name), { answeredMs: null, failing: false, dueMs: 0 });
  }

  /** @returns {?{sinceMs: ?number}} when a failing part was last answered, if it ever was */
  stale(name) {
    const { failing, answeredMs } = this.#parts.get(name);
    return failing ? { sinceMs: answeredMs } : null;
  }

  /** The same for the whole page: its oldest failing part. */
  get oldestStale() {
    const stale = [...this.#parts.keys()].map((name) => this.stale(name)).filter(Boolean);
    if (stale.length === 0) return null;
    const times = stale.map(({ sinceMs }) => sinceMs).filter((sinceMs) => sinceMs !== null);
    return { sinceMs: times.length > 0 ? Math.min(...times) : null };
  }
}
