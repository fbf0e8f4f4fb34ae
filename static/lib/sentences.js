/** Cuts streamed text into whole sentences, so that screen readers are not fed fragments. */

const SENTENCE_END = /[.!?](?=\s)|[。！？\n]/g;

export class SentenceFeed {
  #pending = '';

  /** @param {string} delta @returns {string} the sentences it completes, or '' */
  push(delta) {
    this.#pending += delta;
    let end = 0;
    for (const match of this.#pending.matchAll(SENTENCE_END)) end = match.index + 1;
    const complete = this.#pending.slice(0, end);
    this.#pending = this.#pending.slice(end);
    return complete.trim();
  }

  /** @returns {string} what is left at the end of the answer */
  finish() {
    const rest = this.#pending;
    this.#pending = '';
    return rest.trim();
  }
}
