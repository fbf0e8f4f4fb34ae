/**
 * The turns of one conversation: what was asked, and what became of the answer.
 *
 * An item is {type: 'text', text} | {type: 'image', data, ...} | {type: 'audio', data, ...};
 * `data` is what goes on the wire, the other fields are for showing it.
 */

/** @typedef {'pending' | 'streaming' | 'complete' | 'stopped' | 'failed'} AnswerState */

export class Conversation {
  /** @type {{id: number, items: object[], state: AnswerState, answer: string}[]} */
  turns = [];
  #nextId = 1;

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
    const turn = { id: this.#nextId, items: [...files, ...texts], state: 'pending', answer: '' };
    this.#nextId += 1;
    this.turns.push(turn);
    return turn;
  }

  /** Forgets the last answer, to ask for another one. */
  askAgain() {
    Object.assign(this.last, { state: 'pending', answer: '' });
    return this.last;
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
