/**
 * What was said in a call, and how much of the model's speech has been heard.
 *
 * The model's speech lies on one tape: each piece of text takes the stretch that its sound takes.
 * Where the tape is being played follows from how much sound is still ahead. A cut ends the tape
 * there: what lies behind was never heard.
 *
 * An entry is {id, role: 'model' | 'user', startMs, state, pieces, keptText, text, durationMs, turn}:
 * `startMs` in session time; state 'open' | 'done' | 'interrupted'; pieces {text, fromMs, toMs} of
 * the model, and keptText once the service has told which words of a cut entry it remembers; text
 * (null when nobody wrote it down), durationMs and, in a call that goes in turns, turn of the visitor.
 *
 * Events: `add` and `change`, each with the entry.
 */

import { Emitter } from './emitter.js';

/** Chinese characters one by one, other writing by words, each with the space after it. */
const UNIT = /[\p{Script=Han}，。！？；：、]|[^\s\p{Script=Han}，。！？；：、]+\s*|\s+/gu;

export class Transcript extends Emitter {
  entries = [];
  #tapeMs = 0;
  #open = null;

  /** The turn of the model that sounds, or did last. @param {number} aheadMs not played yet */
  sounding(aheadMs) {
    const atMs = this.#tapeMs - aheadMs;
    const begun = ({ role, pieces }) => role === 'model' && (pieces[0]?.fromMs ?? Infinity) <= atMs;
    return this.entries.findLast(begun) ?? null;
  }

  /** The model begins to speak. @param {number} startMs */
  beginTurn(startMs) {
    this.#open = this.#add({ role: 'model', startMs, state: 'open', pieces: [] });
  }

  /** @param {{text: string, durationMs: number}} piece of the open turn */
  addSpeech({ text, durationMs }) {
    const fromMs = this.#tapeMs;
    this.#tapeMs += durationMs;
    this.#open.pieces.push({ text, fromMs, toMs: this.#tapeMs });
    this.emit('change', this.#open);
  }

  /** @param {boolean} interrupted whether it was broken off */
  endTurn(interrupted) {
    const entry = this.#open;
    this.#open = null;
    if (entry.state === 'open') entry.state = interrupted ? 'interrupted' : 'done';
    this.emit('change', entry);
  }

  /** Sound was silenced. @param {number} aheadMs how much of it had not been played */
  cut(aheadMs) {
    const atMs = this.#tapeMs - aheadMs;
    for (const entry of this.entries.filter((entry) => endOf(entry) > atMs)) {
      entry.cutMs = atMs;
      entry.state = 'interrupted';
      this.emit('change', entry);
    }
    this.#tapeMs = atMs;
  }

  /** @param {string} text what the service remembers of the last entry of the model */
  keep(text) {
    const entry = this.entries.findLast(({ role }) => role === 'model');
    if (entry === undefined) return;
    entry.keptText = text;
    this.emit('change', entry);
  }

  /** @param {{startMs: number, endMs: number, turn?: number}} spoken times in session time */
  userSpoke({ startMs, endMs, turn }) {
    const durationMs = endMs - startMs;
    this.#add({ role: 'user', startMs, state: 'done', text: null, durationMs, turn });
  }

  /** @param {string} text what the service understood @param {number} startMs */
  userText(text, startMs) {
    const last = this.entries.at(-1);
    if (last?.role === 'user') {
      last.text = (last.text ?? '') + text;
      this.emit('change', last);
    } else {
      this.#add({ role: 'user', startMs, state: 'done', text, durationMs: 0 });
    }
  }

  /**
   * What of an entry of the model has been heard, sounds now, and is to come; of an interrupted one
   * the last part is what never will.
   * @param {number} aheadMs how much sound has not been played
   * @returns {{heard: string, sounding: string, pending: string, interrupted: boolean}}
   */
  progress(entry, aheadMs) {
    const atMs = Math.min(entry.cutMs ?? Infinity, this.#tapeMs - aheadMs);
    const interrupted = entry.state === 'interrupted';
    const parts = { heard: '', sounding: '', pending: '', interrupted };
    for (const { text, fromMs, toMs } of entry.pieces) {
      if (toMs <= atMs) parts.heard += text;
      else if (fromMs >= atMs) parts.pending += text;
      else addPlaying(parts, text, (atMs - fromMs) / (toMs - fromMs));
    }
    if (entry.keptText !== undefined) return { ...parts, ...keptOf(entry), sounding: '' };
    if (entry.cutMs === undefined) return parts;
    return { ...parts, heard: parts.heard + parts.sounding, sounding: '' };
  }

  #add(entry) {
    const added = { id: this.entries.length, ...entry };
    this.entries.push(added);
    this.emit('add', added);
    return added;
  }
}

function addPlaying(parts, text, progress) {
  const units = text.match(UNIT) ?? [];
  const current = Math.floor(progress * units.length);
  parts.heard += units.slice(0, current).join('');
  parts.sounding += units[current] ?? '';
  parts.pending += units.slice(current + 1).join('');
}

/** The words of a cut entry, as the service tells them apart. */
function keptOf({ pieces, keptText }) {
  const whole = pieces.map(({ text }) => text).join('');
  return { heard: keptText, pending: whole.startsWith(keptText) ? whole.slice(keptText.length) : '' };
}

/** Where on the tape it ends; what comes after a cut lies over what was lost. */
function endOf({ pieces = [], cutMs = Infinity }) {
  return Math.min(cutMs, pieces.at(-1)?.toMs ?? 0);
}
