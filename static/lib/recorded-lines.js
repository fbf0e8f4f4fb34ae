/**
 * What was said in a recording, line by line.
 *
 * A line is {role: 'user' | 'model', startMs, endMs, text, interrupted, pieces}: `text` is null where
 * something was said that nobody wrote down; `pieces` {text, startMs, endMs} tell when the parts of a
 * line were said, where that is known.
 */

import { unitsOf } from './replay-units.js';

/** @param {object} recording as `recording.json` has it @returns {object[]} lines, in order */
export function linesOf(recording) {
  if (recording.mode === 'duplex') return linesOfUnits(unitsOf(recording));
  return (recording.turns ?? []).flatMap(linesOfTurn);
}

/** @param {object[]} units as in replay-units.js @returns {object[]} one line a turn of the model */
export function linesOfUnits(units) {
  const lines = [];
  let open = null;
  for (const unit of units) {
    if (unit.text !== '') {
      if (open === null) lines.push((open = openLine(unit)));
      open.pieces.push({ text: unit.text, startMs: unit.startMs, endMs: unit.endMs });
      open.endMs = unit.endMs;
    }
    if (open !== null && unit.isCut) open.interrupted = true;
    if (unit.endsTurn || !unit.speaks) open = null;
  }
  for (const line of lines) line.text = line.pieces.map(({ text }) => text).join('').trim();
  return lines.filter(({ text }) => text !== '');
}

function openLine({ startMs, endMs }) {
  return { role: 'model', startMs, endMs, text: '', interrupted: false, pieces: [] };
}

function linesOfTurn({ request_ts_ms: askedMs, input, output, timing }) {
  const spokenMs = input.duration_ms ?? 0;
  const tookMs = Math.max(timing.elapsed_ms ?? 0, output.audio_duration_ms ?? 0);
  const asked = { role: 'user', startMs: Math.max(0, askedMs - spokenMs), endMs: askedMs };
  const answered = { role: 'model', startMs: askedMs, endMs: askedMs + tookMs };
  const lines = [];
  if (input.text || input.audio) lines.push({ ...asked, text: input.text || null });
  if (output.text) lines.push({ ...answered, text: output.text.trim() });
  return lines.map((line) => ({ ...line, interrupted: false, pieces: [] }));
}
