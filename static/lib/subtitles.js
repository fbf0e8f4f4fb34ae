/** What was said, as files for players and readers. Lines are those of recorded-lines.js. */

const WIDEST_CUE = 84; // two rows on a screen; a Chinese character is as wide as two letters
const SHORTEST_CUE_MS = 1000;
const SENTENCE_END = /[.!?。！？…]["'”’）)]*\s*$/u;
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/gu;

const WRITERS = {
  srt: { type: 'application/x-subrip', write: toSrt },
  vtt: { type: 'text/vtt', write: toVtt },
  txt: { type: 'text/plain', write: toText },
  md: { type: 'text/markdown', write: toMarkdown },
  json: { type: 'application/json', write: toJson },
};

export const SUBTITLE_FORMATS = Object.keys(WRITERS);

/**
 * @param {'srt' | 'vtt' | 'txt' | 'md' | 'json'} format
 * @param {object[]} lines
 * @param {{title: string, user: string, model: string, untold: string, interrupted: string}} words
 *   in the visitor's language; `untold` stands for what nobody wrote down
 * @returns {{type: string, content: string}}
 */
export function writeSubtitles(format, lines, words) {
  const { type, write } = WRITERS[format];
  return { type, content: write(lines, words) };
}

/**
 * Lines in pieces that can be read at once. What nobody wrote down cannot.
 * @returns {{role: string, startMs: number, endMs: number, text: string}[]}
 */
export function cuesOf(lines) {
  return lines.filter(({ text }) => text !== null).flatMap(cuesOfLine);
}

/** @param {number} timeMs @param {string} separator before the milliseconds */
export function subtitleTime(timeMs, separator) {
  const whole = Math.round(timeMs);
  const parts = [whole / 3_600_000, (whole / 60_000) % 60, (whole / 1000) % 60];
  const clock = parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(':');
  return `${clock}${separator}${String(whole % 1000).padStart(3, '0')}`;
}

function cuesOfLine({ role, startMs, endMs, text, pieces }) {
  const cues = [];
  let cue = null;
  for (const piece of pieces.length > 0 ? pieces : [{ text, startMs, endMs }]) {
    if (cue === null || isFull(cue, piece)) {
      cues.push((cue = { role, startMs: piece.startMs, text: '' }));
    }
    cue.text += piece.text;
    cue.endMs = Math.max(piece.endMs, cue.startMs + SHORTEST_CUE_MS);
  }
  return cues
    .map((each) => ({ ...each, text: each.text.replaceAll(/\s+/g, ' ').trim() }))
    .filter((each) => each.text !== '');
}

function isFull({ text }, piece) {
  return SENTENCE_END.test(text) || widthOf(text + piece.text) > WIDEST_CUE;
}

function widthOf(text) {
  return text.length + (text.match(WIDE)?.length ?? 0);
}

function toSrt(lines, words) {
  const cues = cuesOf(lines);
  const named = new Set(cues.map(({ role }) => role)).size > 1;
  const blocks = cues.map(({ role, startMs, endMs, text }, index) => {
    const times = `${subtitleTime(startMs, ',')} --> ${subtitleTime(endMs, ',')}`;
    return `${index + 1}\n${times}\n${named ? `${words[role]}: ` : ''}${text}\n`;
  });
  return blocks.join('\n');
}

function toVtt(lines, words) {
  const blocks = cuesOf(lines).map(({ role, startMs, endMs, text }) => {
    const times = `${subtitleTime(startMs, '.')} --> ${subtitleTime(endMs, '.')}`;
    return `${times}\n<v ${words[role]}>${escaped(text)}`;
  });
  return `${['WEBVTT', ...blocks].join('\n\n')}\n`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function toText(lines, words) {
  const rows = lines.map((line) => `[${clockOf(line)}] ${words[line.role]}: ${saidIn(line, words)}`);
  return `${[words.title, '', ...rows].join('\n')}\n`;
}

function toMarkdown(lines, words) {
  const parts = lines.map((line) => `**${words[line.role]}** (${clockOf(line)})\n\n${saidIn(line, words)}`);
  return `${[`# ${words.title}`, ...parts].join('\n\n')}\n`;
}

function toJson(lines, { title }) {
  const told = lines.map(({ role, startMs, endMs, text, interrupted }) => ({
    role,
    start_ms: Math.round(startMs),
    end_ms: Math.round(endMs),
    text,
    ...(interrupted && { interrupted }),
  }));
  return `${JSON.stringify({ title, lines: told }, null, 2)}\n`;
}

function clockOf({ startMs }) {
  return subtitleTime(startMs, '.').slice(0, 8);
}

function saidIn({ text, interrupted }, words) {
  return `${text ?? `(${words.untold})`}${interrupted ? ` (${words.interrupted})` : ''}`;
}
