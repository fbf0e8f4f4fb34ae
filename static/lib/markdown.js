/**
 * A small Markdown reader for model answers. It yields a tree of plain objects, never HTML, so
 * whoever shows it sets text and cannot inject markup.
 *
 * Blocks: {type: 'paragraph' | 'quote', spans} · {type: 'heading', level, spans} ·
 * {type: 'list', ordered, start, items: spans[]} · {type: 'code', language, text} ·
 * {type: 'table', header: spans[], rows: spans[][]} · {type: 'rule'}
 */

import { parseSpans } from './markdown-spans.js';

const FENCE = /^ {0,3}(`{3,}(?!.*`)|~{3,})\s*([\w+#-]*)/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const BULLET = /^\s*[-*+]\s+(.*)$/;
const NUMBER = /^\s*(\d{1,9})[.)]\s+(.*)$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** @param {string} text @returns {object[]} blocks */
export function parseMarkdown(text) {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === '') {
      at += 1;
      continue;
    }
    const reader = BLOCK_READERS.find((candidate) => candidate.opens(lines, at));
    const [block, next] = reader.read(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

/**
 * Divides streamed text into what can no longer change and the block still being written.
 * @returns {{closed: string, open: string}}
 */
export function splitOpenBlock(text) {
  let fence = null;
  let boundary = 0;
  let offset = 0;
  for (const line of text.split('\n')) {
    if (fence !== null) fence = closesFence(line, fence) ? null : fence;
    else fence = FENCE.exec(line)?.[1] ?? null;
    offset += line.length + 1;
    if (fence === null && line.trim() === '' && offset <= text.length) boundary = offset;
  }
  return { closed: text.slice(0, boundary), open: text.slice(boundary) };
}

const BLOCK_READERS = [
  { opens: (lines, at) => FENCE.test(lines[at]), read: readCode },
  { opens: (lines, at) => HEADING.test(lines[at]), read: readHeading },
  { opens: (lines, at) => RULE.test(lines[at]), read: (_, at) => [{ type: 'rule' }, at + 1] },
  { opens: opensTable, read: readTable },
  { opens: (lines, at) => BULLET.test(lines[at]), read: readBullets },
  { opens: (lines, at) => NUMBER.test(lines[at]), read: readNumbers },
  { opens: (lines, at) => QUOTE.test(lines[at]), read: readQuote },
  { opens: () => true, read: readParagraph },
];

function closesFence(line, fence) {
  const mark = line.trim();
  return mark.length >= fence.length && [...mark].every((character) => character === fence[0]);
}

function readCode(lines, at) {
  const [, fence, language] = FENCE.exec(lines[at]);
  let end = at + 1;
  while (end < lines.length && !closesFence(lines[end], fence)) end += 1;
  return [{ type: 'code', language, text: lines.slice(at + 1, end).join('\n') }, end + 1];
}

function readHeading(lines, at) {
  const [, marks, title] = HEADING.exec(lines[at]);
  return [{ type: 'heading', level: marks.length, spans: parseSpans(title) }, at + 1];
}

function opensTable(lines, at) {
  return lines[at].includes('|') && TABLE_RULE.test(lines[at + 1] ?? '') &&
    lines[at + 1].includes('|');
}

function readTable(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes('|')) end += 1;
  const header = tableCells(lines[at]);
  const rows = lines.slice(at + 2, end).map(tableCells);
  return [{ type: 'table', header, rows }, end];
}

function tableCells(line) {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split('|').map((cell) => parseSpans(cell.trim()));
}

function readBullets(lines, at) {
  const [items, end] = readItems(lines, at, (line) => BULLET.exec(line)?.[1]);
  return [{ type: 'list', ordered: false, start: 1, items }, end];
}

function readNumbers(lines, at) {
  const [items, end] = readItems(lines, at, (line) => NUMBER.exec(line)?.[2]);
  return [{ type: 'list', ordered: true, start: Number(NUMBER.exec(lines[at])[1]), items }, end];
}

/** Consecutive items; an indented line goes on with the item above it. */
function readItems(lines, at, itemText) {
  const texts = [];
  let end = at;
  for (; end < lines.length && lines[end].trim() !== ''; end += 1) {
    const text = itemText(lines[end]);
    if (text !== undefined) texts.push(text);
    else if (/^\s/.test(lines[end])) texts[texts.length - 1] += `\n${lines[end].trim()}`;
    else break;
  }
  return [texts.map(parseSpans), end];
}

function readQuote(lines, at) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const text = lines.slice(at, end).map((line) => QUOTE.exec(line)[1]).join('\n');
  return [{ type: 'quote', spans: parseSpans(text) }, end];
}

function readParagraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && !endsParagraph(lines, end)) end += 1;
  return [{ type: 'paragraph', spans: parseSpans(lines.slice(at, end).join('\n').trim()) }, end];
}

function endsParagraph(lines, at) {
  if (lines[at].trim() === '') return true;
  return BLOCK_READERS.slice(0, -1).some((reader) => reader.opens(lines, at));
}
