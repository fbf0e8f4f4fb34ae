/**
 * A table that can be sorted and searched, and keeps its rows while what they say changes.
 *
 * A column is {titleKey, value, cell?, build?, unsorted?, minor?, numeric?, long?, pinned?}:
 * `value(row)` is what it is sorted by; `cell(row)` its text, or {i18n, params}, where that differs;
 * `build(row)` its content as a node, made anew when the value changes. `minor` columns are left out
 * where there is little room, `long` ones may have several lines, `pinned` ones stay in sight. The
 * first column names the row.
 */

import { localize } from '../i18n/index.js';
import { filterRows, sortRows } from '../lib/table-rows.js';
import { element, icon, setIcon } from './dom.js';
import { setText } from './set-text.js';

const SEARCHED_FROM_ROWS = 5; // fewer are seen at a glance

export class DataTable {
  #columns;
  #keyOf;
  #emptyKey;
  #sorted = null; // {column, descending}
  #rows = [];
  #lines = new Map(); // what stands in the table, by the row's key: {line, cells}
  #heads = new Map();
  #search = element('input', { type: 'search', autocomplete: 'off' });
  #searchField = element('label', { class: 'table-search', hidden: true });
  #body = element('tbody');
  #scroller;
  #empty = element('p', { class: 'quiet table-empty' });

  /**
   * @param {HTMLElement} container
   * @param {{captionKey: string, emptyKey: string, columns: object[],
   *          keyOf: (row: object) => string}} options
   */
  constructor(container, { captionKey, emptyKey, columns, keyOf }) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    this.#emptyKey = emptyKey;
    this.#search.addEventListener('input', () => this.#render());
    this.#searchField.append(element('span', { i18n: 'table.search' }), this.#search);
    const titles = element('tr', {}, ...columns.map((column) => this.#head(column)));
    const caption = element('caption', { class: 'visually-hidden', i18n: captionKey });
    const table = element('table', {}, caption, element('thead', {}, titles), this.#body);
    const reachable = { role: 'group', tabindex: '0', named: captionKey, hidden: true };
    this.#scroller = element('div', { class: 'table-scroller', ...reachable }, table);
    container.append(this.#searchField, this.#scroller, this.#empty);
  }

  /** @param {object[]} rows in the order in which they stand until somebody sorts them */
  show(rows) {
    this.#rows = rows;
    this.#render();
  }

  #render() {
    const found = filterRows(this.#rows, this.#search.value, (row) => this.#textOf(row));
    const { column, descending } = this.#sorted ?? {};
    const rows = column ? sortRows(found, column.value, descending) : found;
    const few = this.#rows.length < SEARCHED_FROM_ROWS;
    this.#searchField.hidden = few && this.#search.value === '';
    this.#scroller.hidden = rows.length === 0;
    this.#empty.hidden = rows.length > 0;
    localize(this.#empty, this.#rows.length > 0 ? 'table.nothing_found' : this.#emptyKey);
    this.#place(rows);
  }

  #place(rows) {
    const focused = document.activeElement;
    const wasInside = this.#body.contains(focused);
    const keys = new Set(rows.map(this.#keyOf));
    for (const [key, { line }] of this.#lines) {
      if (keys.has(key)) continue;
      line.remove();
      this.#lines.delete(key);
    }
    rows.forEach((row, index) => {
      const { line, cells } = this.#lineOf(row);
      this.#columns.forEach((column, at) => fill(cells[at], column, row));
      if (this.#body.children[index] !== line) {
        this.#body.insertBefore(line, this.#body.children[index] ?? null);
      }
    });
    if (!wasInside || document.activeElement === focused) return;
    if (this.#body.contains(focused)) focused.focus(); // its row was moved
    else this.#scroller.focus(); // its row is gone
  }

  #lineOf(row) {
    const key = this.#keyOf(row);
    if (!this.#lines.has(key)) {
      const cells = this.#columns.map((column, index) =>
        index === 0
          ? element('th', { scope: 'row', class: classOf(column) })
          : element('td', { class: classOf(column) }),
      );
      this.#lines.set(key, { line: element('tr', {}, ...cells), cells });
    }
    return this.#lines.get(key);
  }

  #textOf(row) {
    const { cells } = this.#lineOf(row);
    this.#columns.forEach((column, index) => fill(cells[index], column, row));
    return cells.map((cell) => cell.textContent).join(' ');
  }

  #head(column) {
    const { titleKey, unsorted } = column;
    const head = element('th', { scope: 'col', class: classOf(column) });
    if (unsorted) {
      head.append(element('span', { i18n: titleKey }));
      return head;
    }
    const symbol = icon('down');
    const sort = () => this.#sortBy(column);
    const button = element('button', { type: 'button', class: 'sort', onclick: sort });
    button.append(element('span', { i18n: titleKey }), symbol);
    head.append(button);
    this.#heads.set(column, { head, symbol });
    return head;
  }

  #sortBy(column) {
    const again = this.#sorted?.column === column;
    this.#sorted = { column, descending: again && !this.#sorted.descending };
    for (const [other, { head, symbol }] of this.#heads) {
      head.removeAttribute('aria-sort');
      if (other !== column) continue;
      head.setAttribute('aria-sort', this.#sorted.descending ? 'descending' : 'ascending');
      setIcon(symbol, this.#sorted.descending ? 'down' : 'up');
    }
    this.#render();
  }
}

function fill(cell, { value, cell: textOf, build }, row) {
  if (build) {
    const stamp = JSON.stringify(value(row) ?? null);
    if (cell.dataset.stamp === stamp) return;
    cell.dataset.stamp = stamp;
    cell.replaceChildren(build(row) ?? '');
    return;
  }
  setText(cell, textOf ? textOf(row) : String(value(row)));
}

function classOf({ minor, numeric, long, pinned }) {
  const names = { minor, numeric, long, pinned };
  return Object.keys(names).filter((name) => names[name]).join(' ') || null;
}
