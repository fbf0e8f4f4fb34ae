import { describe, expect, it } from 'vitest';

import { clockText } from '../../static/lib/clock-text.js';
import { asFailure, Failure } from '../../static/lib/failure.js';
import { parseMarkdown, splitOpenBlock } from '../../static/lib/markdown.js';
import { SentenceFeed } from '../../static/lib/sentences.js';

describe('Markdown', () => {
  const spans = (text) => parseMarkdown(text)[0].spans;

  it('reads every kind of block', () => {
    const text = '# Title\n\ntext\n\n- a\n- b\n\n3. c\n4. d\n\n> said\n\n---\n\n```js\nlet x;\n```';
    const types = parseMarkdown(text).map((block) => block.type);
    expect(types).toEqual(['heading', 'paragraph', 'list', 'list', 'quote', 'rule', 'code']);
  });

  it('keeps code as it is written', () => {
    const [block] = parseMarkdown('```html\n<b>**x**</b>\n\n</script>\n```');
    expect(block).toEqual({ type: 'code', language: 'html', text: '<b>**x**</b>\n\n</script>' });
  });

  it('reads a code block that is not closed yet', () => {
    expect(parseMarkdown('```\nhalf')).toEqual([{ type: 'code', language: '', text: 'half' }]);
  });

  it('reads tables', () => {
    const [table] = parseMarkdown('| a | b |\n|---|:-:|\n| 1 | **2** |');
    expect(table.header).toEqual([['a'], ['b']]);
    expect(table.rows).toEqual([[['1'], [{ type: 'strong', spans: ['2'] }]]]);
  });

  it('keeps the number a list starts with, and continues items on indented lines', () => {
    const [list] = parseMarkdown('3. one\n   more\n4. two');
    expect(list).toMatchObject({ ordered: true, start: 3, items: [['one\nmore'], ['two']] });
  });

  it('reads emphasis, code and links', () => {
    expect(spans('a **b** *c* `d` [e](https://f.g) https://h.i.')).toEqual([
      'a ',
      { type: 'strong', spans: ['b'] },
      ' ',
      { type: 'em', spans: ['c'] },
      ' ',
      { type: 'code', text: 'd' },
      ' ',
      { type: 'link', href: 'https://f.g', spans: ['e'] },
      ' ',
      { type: 'link', href: 'https://h.i', spans: ['https://h.i'] },
      '.',
    ]);
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', '//evil.example'])(
    'makes no link of %s',
    (href) => {
      expect(spans(`[click](${href})`)).toEqual([`[click](${href})`]);
    },
  );

  it('leaves markup in text as text', () => {
    expect(spans('<img src=x onerror=alert(1)> & 2 * 3 * 4')).toEqual([
      '<img src=x onerror=alert(1)> & 2 * 3 * 4',
    ]);
  });

  it.each(['`', '*', '[', '**a', '| a', '> ', '- ', '#', '![x](', '*a '])(
    'reads 40,000 repetitions of %j without getting stuck',
    (piece) => {
      const started = performance.now();
      parseMarkdown(piece.repeat(40_000));
      expect(performance.now() - started).toBeLessThan(2000);
    },
  );
});

describe('an answer under way', () => {
  it('is closed up to its last empty line', () => {
    expect(splitOpenBlock('one\n\ntwo')).toEqual({ closed: 'one\n\n', open: 'two' });
    expect(splitOpenBlock('one\ntwo')).toEqual({ closed: '', open: 'one\ntwo' });
    expect(splitOpenBlock('one\n')).toEqual({ closed: '', open: 'one\n' });
  });

  it('stays open inside a code block', () => {
    expect(splitOpenBlock('a\n\n```\nx\n\ny')).toEqual({ closed: 'a\n\n', open: '```\nx\n\ny' });
    expect(splitOpenBlock('```\nx\n\ny\n```\n\nz').open).toBe('z');
  });
});

describe('sentences for screen readers', () => {
  it('come whole, in both languages, and the rest at the end', () => {
    const feed = new SentenceFeed();
    expect(feed.push('Pi is 3.14')).toBe('');
    expect(feed.push('15. It goes')).toBe('Pi is 3.1415.');
    expect(feed.push(' on。然后')).toBe('It goes on。');
    expect(feed.finish()).toBe('然后');
    expect(feed.finish()).toBe('');
  });
});

describe('failures', () => {
  it('with a code that is not known are told in general words', () => {
    const failure = new Failure('brand_new', { message: 'text of the server' });
    expect(failure).toMatchObject({ key: 'unknown', remedy: 'retry', detail: 'text of the server' });
  });

  it('about a setting lead to the settings', () => {
    const field = 'generation.max_new_tokens';
    expect(new Failure('bad_message', { field }).remedy).toBe('settings');
    expect(new Failure('bad_message', { field: 'messages[0].content' }).remedy).toBe(null);
  });

  it('are made of anything that was thrown', () => {
    const known = new Failure('offline');
    expect(asFailure(known)).toBe(known);
    expect(asFailure(new TypeError('x'))).toMatchObject({ code: 'unknown', detail: 'x' });
  });
});

it('a clock shows minutes and seconds, and hours where there are any', () => {
  expect([0, 9.9, 65, 600, -1].map(clockText)).toEqual(['0:00', '0:09', '1:05', '10:00', '0:00']);
  expect([3599, 3600, 7265].map(clockText)).toEqual(['59:59', '1:00:00', '2:01:05']);
});
