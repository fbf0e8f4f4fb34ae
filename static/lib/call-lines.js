/** What was said in a call, as lines like those of recorded-lines.js: only what was heard of it. */

/** @param {import('./transcript.js').Transcript} transcript of a call that is over */
export function linesOfCall(transcript) {
  const lines = transcript.entries.map((entry) =>
    entry.role === 'model' ? modelLine(entry, transcript.progress(entry, 0)) : userLine(entry),
  );
  return lines.filter(({ text }) => text !== '');
}

function userLine({ startMs, durationMs, text }) {
  const endMs = startMs + durationMs;
  return { role: 'user', startMs, endMs, text, interrupted: false, pieces: [] };
}

/** Pieces lie on the tape of the speech, which begins for each entry when the entry does. */
function modelLine({ startMs, pieces, cutMs = Infinity }, { heard, interrupted }) {
  const offsetMs = startMs - (pieces[0]?.fromMs ?? 0);
  const whole = pieces.filter(({ toMs }) => toMs <= cutMs);
  const toMs = Math.min(cutMs, pieces.at(-1)?.toMs ?? 0);
  const timed = whole.map((piece) => ({
    text: piece.text, startMs: piece.fromMs + offsetMs, endMs: piece.toMs + offsetMs,
  }));
  const known = interrupted ? [] : timed;
  return {
    role: 'model', startMs, endMs: Math.max(startMs, toMs + offsetMs), text: heard.trim(),
    interrupted, pieces: known,
  };
}
