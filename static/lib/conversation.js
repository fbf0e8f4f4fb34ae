/**
 * The turns of one conversation: what was asked, and what became of the answer.
 *
 * An item is {type: 'text', text} | {type: 'image' | 'audio' | 'video', data, ...}; `data` is what
 * goes on the wire, the other fields are for showing it.
 *
 * A turn's state is 'pending' while it is answered, then 'complete', 'stopped' (by the visitor),
 * 'failed', or 'interrupted' (the page or the conversation was left meanwhile).
 */

const TITLE_LENGTH = 60;

export class Conversation {
  /**
   * @type {{items: object[], answer: string, cut: boolean, state: string, facts: object[]}[]}
   * `cut`: not all of it was heard; `facts`: what is told below the answer
   */
  turns = [];
  id = null; // both are given by the history
  revision = 0;
  createdMs = Date.now();

  get last() {
    return this.turns.at(-1) ?? null;
  }

  get empty() {
    return this.turns.length === 0;
  }

  /** The first words, or the name of the first file; '' while nothing was said. */
  get title() {
    const items = this.turns.flatMap((turn) => turn.items);
    const words = items.find((item) => item.type === 'text')?.text ?? items[0]?.name ?? '';
    const line = words.trim().split(/\s+/).join(' ');
    return line.length > TITLE_LENGTH ? `${line.slice(0, TITLE_LENGTH - 1).trimEnd()}…` : line;
  }

  /** Adds what the visitor sends. */
  ask(items) {
    this.turns.push({ items: filesFirst(items), ...unanswered() });
    return this.last;
  }

  /** Forgets the answer of a turn and all that came after it, to ask for another one. */
  askAgain(turn = this.last) {
    this.turns = this.turns.slice(0, this.turns.indexOf(turn) + 1);
    return Object.assign(turn, unanswered());
  }

  /** Puts other words in the visitor's mouth; what was answered stays. */
  edit(turn, items) {
    turn.items = filesFirst(items);
  }

  remove(turn) {
    this.turns = this.turns.filter((other) => other !== turn);
  }

  /**
   * The turns a request for the last one carries: a turn without an answer would only repeat its
   * failure, so it is left out unless it is the last.
   */
  turnsForRequest() {
    return this.turns.filter((turn) => turn === this.last || turn.answer !== '');
  }
}

function unanswered() {
  return { answer: '', cut: false, state: 'pending', facts: [] };
}

function filesFirst(items) {
  const files = items.filter((item) => item.type !== 'text');
  return [...files, ...items.filter((item) => item.type === 'text')];
}
