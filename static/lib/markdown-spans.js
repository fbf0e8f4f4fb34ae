/**
 * The text inside one Markdown block.
 *
 * Spans: string · {type: 'strong' | 'em', spans} · {type: 'code', text} ·
 * {type: 'link', href, spans}; a line break stays a newline character in a string.
 */

const SPAN = new RegExp(
  [
    /(?<ticks>`+)(?<code>[^`]|[^`].{0,4000}?[^`])\k<ticks>(?!`)/,
    /\[(?<label>[^[\]\n]{1,500})\]\((?<href>[^\s()<>]{1,2000})\)/,
    /\*\*(?<strong>\S|\S[^\n]{0,2000}?\S)\*\*/,
    /(?<![*\w])\*(?<em>[^\s*]|[^\s*][^*\n]{0,2000}?[^\s*])\*(?![*\w])/,
    /(?<bare>https?:\/\/[^\s<>()[\]"'，。；：！？、）】]+[^\s<>()[\]"'.,;:!?，。；：！？、）】])/,
  ].map((pattern) => pattern.source).join('|'),
  'gs',
);

const SAFE_LINK = /^(https?:\/\/|mailto:)/i;

/** @param {string} text @returns {(string | object)[]} */
export function parseSpans(text) {
  const spans = [];
  let end = 0;
  for (const match of text.matchAll(SPAN)) {
    const span = spanOf(match.groups);
    if (span === null) continue;
    if (match.index > end) spans.push(text.slice(end, match.index));
    spans.push(span);
    end = match.index + match[0].length;
  }
  if (end < text.length) spans.push(text.slice(end));
  return spans;
}

function spanOf({ code, label, href, strong, em, bare }) {
  if (code !== undefined) return { type: 'code', text: code };
  if (strong !== undefined) return { type: 'strong', spans: parseSpans(strong) };
  if (em !== undefined) return { type: 'em', spans: parseSpans(em) };
  if (bare !== undefined) return { type: 'link', href: bare, spans: [bare] };
  return SAFE_LINK.test(href) ? { type: 'link', href, spans: [label] } : null;
}
