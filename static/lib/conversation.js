/**
 * The turns of one conversation: what was asked, and what became of the answer.
 *
 * An item is {type: 'text', text} | {type: 'image', data, ...} | {type: 'audio', data, ...};
 * `data` is what goes on the wire, the other fields are for showing it.
 */

export class Conversation {
  /** @type {{items: object[], answer: string, cut: boolean}[]} `cut`: not all of it was heard */
  turns = [];

  get last() {
    return this.turns.at(-1) ?? null;
  }

  get empty() {
    return this.turns.length === 0;
  }

  /** Adds what the visitor sends; files come before text. */
  ask(items) {
    const files = items.filter((item) => item.type !== 'text');
    const texts = items.filter((item) => item.type === 'text');
    this.turns.push({ items: [...files, ...texts], answer: '', cut: false });
    return this.last;
  }

  /** Forgets the last answer, to ask for another one. */
  askAgain() {
    return Object.assign(this.last, { answer: '', cut: false });
  }

  clear() {
    this.turns = [];
  }

  /**
   * The turns a request for the last one carries: a turn without an answer would only repeat its
   * failure, so it is left out unless it is the last.
   */
  turnsForRequest() {
    return this.turns.filter((turn) => turn === this.last || turn.answer !== '');
  }
}
