/**
 * When everything in a full-duplex recording sounds and is seen, as in its merged replay.
 *
 * A unit is one decision of the model, with everything it heard before it; units lie back to back.
 * It is {index, startMs, endMs, speaks, text, isCut, heardMs, endsTurn, userSounds, userMs, aiSound,
 * aiMs, frames, timing}: `index` counts units from 0; `userSounds`, `aiSound` and the `path` of a
 * frame {atMs, path} are files of the recording; `heardMs` is null unless speech was cut off.
 */

const SHORTEST_UNIT_MS = 1000;
const CHUNK_MS = 1000;

/** @param {{chunks: object[]}} recording as `recording.json` has it @returns {object[]} */
export function unitsOf({ chunks }) {
  const units = [];
  let unit = emptyUnit(0, 0);
  for (const chunk of chunks) {
    hear(unit, chunk);
    if (chunk.result.skipped) continue; // the model hears it with the next one
    decide(unit, chunk.result);
    units.push(closed(unit));
    unit = emptyUnit(units.length, unit.endMs);
  }
  if (unit.userMs > 0) units.push(closed(unit));
  return units;
}

/** @returns {number} which unit it is at a time; the first or last one outside */
export function unitAt(units, timeMs) {
  let [low, high] = [0, units.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (units[middle].startMs <= timeMs) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** @returns {?string} the last picture shown by then */
export function frameAt(units, timeMs) {
  for (let index = unitAt(units, timeMs); index >= 0; index -= 1) {
    const shown = units[index]?.frames.findLast(({ atMs }) => atMs <= timeMs);
    if (shown !== undefined) return shown.path;
  }
  return null;
}

/** What a unit took, by stage; without a unit that speaks, deciding is all there is. */
export function costsOf({ timing }) {
  const speech = (timing.tts_prep_ms ?? 0) + (timing.tts_ms ?? 0);
  return {
    prefill: timing.prefill_ms ?? 0,
    llm: timing.llm_ms ?? (speech > 0 ? 0 : (timing.all_ms ?? 0)),
    tts: speech,
    token2wav: timing.token2wav_ms ?? 0,
  };
}

/** @returns {number} all of what a unit took, in milliseconds */
export function totalCost(unit) {
  return Object.values(costsOf(unit)).reduce((sum, cost) => sum + cost, 0);
}

/** @returns {?{medianMs: number, slowestMs: number, slowest: number, late: number, count: number}} */
export function costSummary(units, budgetMs) {
  const timed = units.filter((unit) => totalCost(unit) > 0);
  if (timed.length === 0) return null;
  const costs = timed.map(totalCost);
  const slowestMs = costs.reduce((most, cost) => Math.max(most, cost), 0);
  return {
    medianMs: costs.toSorted((a, b) => a - b)[Math.floor(costs.length / 2)],
    slowestMs,
    slowest: timed[costs.indexOf(slowestMs)].index,
    late: costs.filter((cost) => cost > budgetMs).length,
    count: costs.length,
  };
}

function emptyUnit(index, startMs) {
  return {
    index, startMs, endMs: startMs, speaks: false, text: '', isCut: false, heardMs: null,
    endsTurn: false, userSounds: [], userMs: 0, aiSound: null, aiMs: 0, frames: [], timing: {},
  };
}

function hear(unit, { user_audio: sound, user_audio_duration_ms: durationMs, user_frame: frame }) {
  if (frame) unit.frames.push({ atMs: unit.startMs + unit.userMs, path: frame });
  if (!sound) return;
  unit.userSounds.push(sound);
  unit.userMs += durationMs ?? CHUNK_MS;
}

function decide(unit, result) {
  unit.speaks = result.mode === 'SPEAK';
  unit.heardMs = result.heard_ms ?? null;
  unit.isCut = unit.heardMs !== null;
  unit.endsTurn = result.end_of_turn === true || unit.isCut;
  if (unit.heardMs !== 0) unit.text = result.text ?? '';
  unit.aiSound = result.ai_audio ?? null;
  unit.aiMs = Math.min(result.ai_audio_duration_ms ?? 0, unit.heardMs ?? Infinity);
  unit.timing = result.timing ?? {};
}

function closed(unit) {
  unit.endMs = unit.startMs + Math.max(unit.userMs, unit.aiMs, SHORTEST_UNIT_MS);
  return unit;
}
