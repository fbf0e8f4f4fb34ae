/**
 * Texts and voices in an order of one's choice.
 *
 * Rows stay the elements they are while others come, go and move, so that nothing is taken out of
 * the hands of somebody who types, also with an input method.
 */

import { localize, render } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { copyItems, MAX_CONTENT_CHARACTERS, MAX_CONTENT_ITEMS } from '../lib/system-content.js';
import { element, icon, iconButton } from './dom.js';

const FIELD_WORDS = { name: 'content.text', example: 'content.text_example' };
const EMPTY = {
  text: { type: 'text', text: '' },
  audio: { type: 'audio', data: null, name: '', durationS: 0 },
};

/** Event: `change` with copies of all items. */
export class ContentEditor extends Emitter {
  #list = element('ol', { class: 'content-rows' });
  #announcer = element('p', { class: 'visually-hidden', 'aria-live': 'polite' });
  #adders;
  #openVoice;
  #rows = []; // {element, item, field: ?HTMLTextAreaElement, voice: ?{show, close}}

  /**
   * @param {HTMLElement} container
   * @param {{openVoice: (holder: HTMLElement, onChange: (voice: object) => void) =>
   *          {show: (voice: object) => void, close: () => void}}} options
   *        puts what plays and changes a voice, {data, name, durationS}, into a row
   */
  constructor(container, { openVoice }) {
    super();
    this.#openVoice = openVoice;
    const adder = (type, key) => {
      const text = element('span', { i18n: key });
      const attributes = { type: 'button', class: 'button', onclick: () => this.#add(type) };
      return element('button', attributes, icon('plus'), text);
    };
    this.#adders = [adder('text', 'content.add_text'), adder('audio', 'content.add_voice')];
    container.replaceChildren(
      element('p', { class: 'field-title', id: 'content-title', i18n: 'content.title' }),
      element('p', { class: 'help', i18n: 'content.help' }),
      this.#list,
      element('div', { class: 'preset-actions' }, ...this.#adders),
      this.#announcer,
    );
    container.setAttribute('role', 'group');
    container.setAttribute('aria-labelledby', 'content-title');
    const shown = new ResizeObserver(() => this.#rows.forEach(grow)); // what is hidden has no height
    shown.observe(this.#list);
  }

  get items() {
    return copyItems(this.#rows.map(({ item }) => item));
  }

  /** Rows of the same kind at the same place are kept, and only take in what is new. */
  set items(items) {
    const kept = [];
    copyItems(items).forEach((item, index) => {
      const row = this.#rows[index];
      if (row?.item.type === item.type) kept.push(fill(row, item));
      else kept.push(this.#open(item));
    });
    for (const row of this.#rows) if (!kept.includes(row)) close(row);
    this.#rows = kept;
    this.#list.append(...kept.map((row) => row.element).filter((node) => !node.isConnected));
    kept.forEach((row, index) => this.#place(row, index));
    this.#refresh();
  }

  #open(item) {
    const row = { item, field: null, voice: null };
    const content = item.type === 'text' ? this.#text(row) : this.#audio(row);
    const tools = element('div', { class: 'content-tools' },
      iconButton('up', 'content.up', () => this.#move(row, -1), { 'data-tool': 'up' }),
      iconButton('down', 'content.down', () => this.#move(row, 1), { 'data-tool': 'down' }),
      iconButton('close', 'content.remove', () => this.#remove(row)));
    const onkeydown = (event) => this.#press(row, event);
    row.element = element('li', { class: `content-row ${item.type}`, onkeydown }, content, tools);
    render(row.element);
    return fill(row, item);
  }

  #text(row) {
    const read = () => {
      grow(row);
      row.item.text = row.field.value;
      this.#changed();
    };
    row.field = element('textarea', {
      rows: '2',
      maxlength: String(MAX_CONTENT_CHARACTERS),
      'data-i18n-attr': `aria-label:${FIELD_WORDS.name};placeholder:${FIELD_WORDS.example}`,
      oninput: (event) => (event.isComposing ? grow(row) : read()),
      oncompositionend: read,
    });
    return row.field;
  }

  #audio(row) {
    const holder = element('div', { class: 'voice' });
    row.voice = this.#openVoice(holder, ({ data, name, durationS }) => {
      Object.assign(row.item, { data, name, durationS });
      this.#changed();
    });
    return holder;
  }

  #add(type) {
    const row = this.#open({ ...EMPTY[type] });
    this.#rows.push(row);
    this.#list.append(row.element);
    this.#refresh();
    row.element.querySelector('textarea, select, button').focus();
    this.#changed();
  }

  #press(row, event) {
    const act = {
      ArrowUp: () => this.#move(row, -1),
      ArrowDown: () => this.#move(row, 1),
      Delete: () => this.#remove(row),
    }[event.key];
    if (act === undefined || !event.altKey || event.isComposing) return;
    event.preventDefault();
    act();
  }

  /** The neighbour moves, so that the row at hand keeps the focus and the cursor. */
  #move(row, step) {
    const from = this.#rows.indexOf(row);
    const other = this.#rows[from + step];
    if (other === undefined) return;
    [this.#rows[from], this.#rows[from + step]] = [other, row];
    if (step < 0) row.element.after(other.element);
    else row.element.before(other.element);
    this.#refresh();
    if (document.activeElement?.disabled) row.element.querySelector('[data-tool]:enabled')?.focus();
    const position = from + step + 1;
    localize(this.#announcer, 'content.moved', { position, count: this.#rows.length });
    this.#changed();
  }

  #remove(row) {
    const index = this.#rows.indexOf(row);
    this.#rows.splice(index, 1);
    close(row);
    this.#refresh();
    const next = this.#rows[Math.min(index, this.#rows.length - 1)];
    (next?.element.querySelector('textarea, select, button') ?? this.#adders[0]).focus();
    this.#changed();
  }

  #place({ element: node }, index) {
    const there = this.#list.children[index];
    if (there !== node) this.#list.insertBefore(node, there);
  }

  #refresh() {
    this.#rows.forEach(({ element: node }, index) => {
      node.querySelector('[data-tool=up]').disabled = index === 0;
      node.querySelector('[data-tool=down]').disabled = index === this.#rows.length - 1;
    });
    for (const adder of this.#adders) adder.disabled = this.#rows.length >= MAX_CONTENT_ITEMS;
  }

  #changed() {
    this.emit('change', this.items);
  }
}

function fill(row, item) {
  const before = row.item;
  row.item = item;
  if (row.field === null) {
    if (before.data !== item.data || before === item) row.voice.show(item);
  } else if (row.field.value !== item.text) {
    row.field.value = item.text;
    grow(row);
  }
  return row;
}

function grow({ field }) {
  if (field === null || field.offsetParent === null) return;
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}

function close({ element: node, voice }) {
  voice?.close();
  node.remove();
}
