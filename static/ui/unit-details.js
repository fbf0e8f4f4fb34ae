/** What is known of one chunk, in words: the drawing of the timeline, for those who cannot see it. */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { element } from './dom.js';

const COSTS = [
  ['prefill_ms', 'replay.prefill'],
  ['llm_ms', 'replay.llm'],
  ['tts_ms', 'replay.tts'],
  ['token2wav_ms', 'replay.token2wav'],
  ['all_ms', 'replay.all'],
  ['wall_clock_ms', 'replay.wall_clock'],
];
const COUNTS = [
  ['n_tokens', 'replay.tokens'],
  ['n_tts_tokens', 'replay.speech_tokens'],
  ['kv_cache_length', 'replay.context'],
  ['vision_tokens', 'replay.vision_tokens'],
];

export class UnitDetails {
  #heading = element('h3');
  #state = element('p', { class: 'unit-state' });
  #text = element('p', { class: 'unit-text' });
  #facts = element('dl', { class: 'unit-facts' });
  #shown = null;

  constructor() {
    this.element = element('div', { class: 'unit-details' },
      this.#heading, this.#state, this.#text, this.#facts);
  }

  /** @param {object} unit as in lib/replay-units.js @param {number} count of all units */
  show(unit, count) {
    if (unit === this.#shown) return;
    this.#shown = unit;
    const params = { chunk: unit.index + 1, count, time: clockText(unit.startMs / 1000) };
    localize(this.#heading, 'replay.chunk', params);
    localize(this.#state, stateKey(unit));
    this.#state.dataset.mode = unit.speaks ? 'speak' : 'listen';
    this.#text.textContent = unit.text.trim();
    this.#text.hidden = this.#text.textContent === '';
    this.#facts.replaceChildren(
      ...COSTS.flatMap(([name, key]) => fact(key, unit.timing[name], 'replay.milliseconds')),
      ...COUNTS.flatMap(([name, key]) => fact(key, unit.timing[name], 'replay.number')),
    );
  }
}

function stateKey({ speaks, isCut, endsTurn }) {
  if (isCut) return 'replay.state_cut';
  if (!speaks) return 'replay.state_listens';
  return endsTurn ? 'replay.state_ends' : 'replay.state_speaks';
}

function fact(key, value, valueKey) {
  if (value === undefined || value === 0) return [];
  const shown = element('dd', { i18n: valueKey, params: { value } });
  return [element('div', {}, element('dt', { i18n: key }), shown)];
}
