// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import adminWords from '../../static/i18n/admin-en.js';
import { translator } from '../../static/i18n/index.js';
import { Draft } from '../../static/lib/draft.js';
import { filterRows, sortRows } from '../../static/lib/table-rows.js';
import { DataTable } from '../../static/ui/data-table.js';
import { EstimatesForm } from '../../static/ui/estimates-form.js';
import { speakEnglish } from './fakes.js';

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  await translator.add({ en: async () => ({ default: adminWords }) });
});

describe('a draft', () => {
  it('keeps a field that is edited or holds the cursor from the values of the server', () => {
    const draft = new Draft();
    draft.edit('a', 5);
    draft.hold('b');
    expect(draft.accept({ a: 1, b: 2, c: 3 })).toEqual({ c: 3 });
    draft.hold(null);
    expect(draft.accept({ a: 1, b: 2 })).toEqual({ b: 2 });
  });

  it('that was saved lets go, but not of what was written since', () => {
    const draft = new Draft();
    draft.edit('a', 5);
    draft.edit('b', 6);
    const saved = draft.changes;
    draft.edit('b', 7);
    draft.settle(saved);
    expect(draft.changes).toEqual({ b: 7 });
    draft.settle();
    expect(draft.changes).toEqual({});
  });
});

describe('the form of estimates', () => {
  const status = (halfDuplexS) => ({
    config: {
      eta_chat_s: 15,
      eta_streaming_s: 20,
      eta_half_duplex_s: halfDuplexS,
      eta_audio_duplex_s: 120,
      eta_omni_duplex_s: 90,
    },
    ema_alpha: 0.3,
    ...Object.fromEntries(
      ['chat', 'streaming', 'half_duplex', 'audio_duplex', 'omni_duplex'].flatMap((name) => [
        [`ema_${name}_s`, null],
        [`ema_${name}_samples`, 0],
      ]),
    ),
  });

  it('saves only what was written, and is not overwritten meanwhile', () => {
    const element = document.createElement('form');
    document.body.append(element);
    const form = new EstimatesForm(element);
    const saved = vi.fn();
    form.on('save', saved);
    form.show(status(180));
    const field = element.querySelector('[name=eta_half_duplex_s]');
    field.value = '200';
    field.dispatchEvent(new Event('input'));
    form.show(status(170));
    expect(field.value).toBe('200');
    element.dispatchEvent(new Event('submit', { cancelable: true }));
    expect(saved).toHaveBeenCalledWith({ eta_half_duplex_s: 200 });
    form.saved({ eta_half_duplex_s: 200 });
    form.show(status(201));
    expect(field.value).toBe('201');
  });
});

describe('rows', () => {
  const rows = [{ n: 10 }, { n: 9 }, { n: null }, { n: 100 }];
  const numbers = (sorted) => sorted.map(({ n }) => n);

  it('are sorted both ways, with those without a value at the end', () => {
    expect(numbers(sortRows(rows, ({ n }) => n))).toEqual([9, 10, 100, null]);
    expect(numbers(sortRows(rows, ({ n }) => n, true))).toEqual([100, 10, 9, null]);
  });

  it('with numbers in their names are sorted as people count', () => {
    const names = ['worker_10', 'worker_9', 'Worker_1'].map((n) => ({ n }));
    expect(numbers(sortRows(names, ({ n }) => n))).toEqual(['Worker_1', 'worker_9', 'worker_10']);
  });

  it('are found by all words of the query', () => {
    const found = filterRows([{ t: 'Chat adx_1' }, { t: 'Chat omni' }], ' ADX chat', ({ t }) => t);
    expect(found).toEqual([{ t: 'Chat adx_1' }]);
  });
});

describe('a table', () => {
  let container;
  let table;

  const columns = [
    { titleKey: 'admin.column.name', value: ({ name }) => name },
    {
      titleKey: 'admin.column.action',
      value: ({ name }) => name,
      unsorted: true,
      build: () => document.createElement('button'),
    },
  ];
  const show = (...names) => table.show(names.map((name) => ({ name })));
  const names = () => [...container.querySelectorAll('tbody th')].map((cell) => cell.textContent);
  const buttonOf = (name) => container.querySelectorAll('tbody button')[names().indexOf(name)];

  beforeEach(() => {
    container = document.body.appendChild(document.createElement('div'));
    table = new DataTable(container, {
      captionKey: 'admin.voices',
      emptyKey: 'admin.voices_empty',
      columns,
      keyOf: ({ name }) => name,
    });
  });

  it('tells screen readers what it is and how it is sorted', () => {
    show('b', 'a');
    expect(container.querySelector('caption').textContent).toBe('Voices');
    const head = container.querySelector('th[scope=col]');
    head.querySelector('button').click();
    expect([names(), head.getAttribute('aria-sort')]).toEqual([['a', 'b'], 'ascending']);
    head.querySelector('button').click();
    expect([names(), head.getAttribute('aria-sort')]).toEqual([['b', 'a'], 'descending']);
    expect(container.querySelector('tbody th').scope).toBe('row');
  });

  it('keeps its rows, and the place of the keyboard in them', () => {
    show('a', 'b');
    const kept = buttonOf('b');
    kept.focus();
    show('b', 'c');
    expect(buttonOf('b')).toBe(kept);
    expect(document.activeElement).toBe(kept);
    show('c');
    expect(document.activeElement).toBe(container.querySelector('.table-scroller'));
  });

  it('is searched only when there is much in it, and says when there is nothing', () => {
    const search = container.querySelector('input');
    show('a');
    expect(search.parentElement.hidden).toBe(true);
    show('a1', 'a2', 'b1', 'b2', 'b3');
    expect(search.parentElement.hidden).toBe(false);
    search.value = 'a';
    search.dispatchEvent(new Event('input'));
    expect(names()).toEqual(['a1', 'a2']);
    show();
    const empty = container.querySelector('.table-empty');
    expect(empty.textContent).toBe('No voices have been uploaded.');
  });
});
