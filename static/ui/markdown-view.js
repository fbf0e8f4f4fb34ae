/** Shows parsed Markdown as elements; text only ever enters the page as text. */

import { parseMarkdown } from '../lib/markdown.js';
import { element } from './dom.js';

export { splitOpenBlock } from '../lib/markdown.js';

const HIGHEST_HEADING = 3; // below the page's and the message's own

/** @param {string} text @returns {HTMLElement[]} one element a block */
export function markdownElements(text) {
  return parseMarkdown(text).map((block) => BLOCKS[block.type](block));
}

const BLOCKS = {
  paragraph: ({ spans }) => element('p', {}, ...inline(spans)),
  heading: ({ level, spans }) =>
    element(`h${Math.min(6, level + HIGHEST_HEADING - 1)}`, {}, ...inline(spans)),
  quote: ({ spans }) => element('blockquote', {}, ...inline(spans)),
  rule: () => element('hr'),
  code: ({ language, text }) => {
    const code = element('code', { text, 'data-language': language || null });
    return element('pre', { tabindex: '0' }, code);
  },
  list: ({ ordered, start, items }) =>
    element(
      ordered ? 'ol' : 'ul',
      { start: ordered && start !== 1 && String(start) },
      ...items.map((spans) => element('li', {}, ...inline(spans))),
    ),
  table: ({ header, rows }) =>
    element(
      'div',
      { class: 'table-scroll', tabindex: '0' },
      element(
        'table',
        {},
        element('thead', {}, tableRow('th', header)),
        element('tbody', {}, ...rows.map((cells) => tableRow('td', cells))),
      ),
    ),
};

function tableRow(tag, cells) {
  return element('tr', {}, ...cells.map((spans) => element(tag, {}, ...inline(spans))));
}

function inline(spans) {
  return spans.map((span) => (typeof span === 'string' ? span : SPANS[span.type](span)));
}

const SPANS = {
  strong: ({ spans }) => element('strong', {}, ...inline(spans)),
  em: ({ spans }) => element('em', {}, ...inline(spans)),
  code: ({ text }) => element('code', { text }),
  link: ({ href, spans }) =>
    element('a', { href, target: '_blank', rel: 'noopener noreferrer' }, ...inline(spans)),
};
