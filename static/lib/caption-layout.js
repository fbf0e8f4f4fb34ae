/**
 * Where captions lie in a picture: newest at the bottom, fading towards the top.
 *
 * Widths come from `measure(text, fontPx)`, so nothing here draws.
 */

const SMALLEST_FONT_PX = 14;
const LINES_PER_HEIGHT = 25;
const LETTERS_PER_WIDTH = 18;
const LINE_EM = 1.4;
const LINES_PER_TURN = 4;
const MARGIN_EM = 0.75;

/** A Chinese character with what may not begin a line, a word with the space after it, or a space. */
const PIECE = /[\p{Script=Han}\u3040-\u30ff][，。！？；：、）」』”’]*|[^\s\p{Script=Han}\u3040-\u30ff]+\s*|\s+/gu;

/**
 * @param {string} text @param {number} widthPx @param {(text: string) => number} measure
 * @returns {string[]} lines; Chinese breaks at any character, other writing at spaces, and a word
 *   that is wider than a line wherever it has to
 */
export function wrapText(text, widthPx, measure) {
  const lines = [];
  let line = '';
  const put = (piece) => {
    if (line === '' || measure((line + piece).trimEnd()) <= widthPx) line += piece;
    else {
      lines.push(line.trimEnd());
      line = piece.trimStart();
    }
  };
  for (const piece of text.trim().match(PIECE) ?? []) {
    const pieces = measure(piece.trimEnd()) <= widthPx ? [piece] : [...piece];
    pieces.forEach(put);
  }
  if (line.trim() !== '') lines.push(line.trimEnd());
  return lines;
}

/**
 * @param {{turns: string[], width: number, height: number, areaPercent: number,
 *          bottomPercent: number, topPercent: number,
 *          measure: (text: string, fontPx: number) => number}} picture
 *   `turns` from the oldest to the newest; `areaPercent`: how much of the height captions may
 *   cover; the other two: how opaque they are at its ends
 * @returns {{fontPx: number, lineHeightPx: number,
 *            lines: {text: string, middlePx: number, opacity: number}[]}} from the bottom upwards
 */
export function layoutCaptions(picture) {
  const { turns, width, height, areaPercent, measure } = picture;
  const fontPx = Math.max(SMALLEST_FONT_PX, Math.min(height / LINES_PER_HEIGHT, width / LETTERS_PER_WIDTH));
  const lineHeightPx = fontPx * LINE_EM;
  const marginPx = fontPx * MARGIN_EM;
  const areaPx = (height * areaPercent) / 100;
  const room = Math.max(1, Math.floor((areaPx - marginPx) / lineHeightPx));
  const texts = newestLines(turns, room, (text) =>
    wrapText(text, width - 4 * marginPx, (line) => measure(line, fontPx)),
  );
  const lines = texts.map((text, index) => {
    const aboveBottomPx = marginPx + (index + 0.5) * lineHeightPx;
    const rise = (index * lineHeightPx) / (areaPx - marginPx);
    return { text, middlePx: height - aboveBottomPx, opacity: ramp(picture, rise) };
  });
  return { fontPx, lineHeightPx, lines };
}

/** From the newest line to the oldest that there is room for. */
function newestLines(turns, room, wrap) {
  const lines = [];
  for (let turn = turns.length - 1; turn >= 0 && lines.length < room; turn -= 1) {
    lines.push(...wrap(turns[turn]).slice(-LINES_PER_TURN).reverse());
  }
  return lines.slice(0, room);
}

/** @param {number} rise 0 for the line at the bottom, 1 at the top of the area */
function ramp({ bottomPercent, topPercent }, rise) {
  return (bottomPercent + (topPercent - bottomPercent) * Math.min(1, rise)) / 100;
}
