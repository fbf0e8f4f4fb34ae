/** The drawer of conversations: those of this browser, and files to keep or to bring back. */

import { t, translator } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { relativeTime } from '../lib/relative-time.js';
import { closeOnBackdrop } from './dialog.js';
import { element, icon, iconButton } from './dom.js';

const FORMATS = {
  markdown: 'history.export_markdown',
  json: 'history.export_json',
  msgpack: 'history.export_msgpack',
};

/**
 * Events: `open` (id), `remove` (id), `clear`, `new`, `export` ('markdown' | 'json' | 'msgpack'),
 * `load` (File).
 */
export class HistoryDrawer extends Emitter {
  #list = element('ul', { class: 'history-list' });
  #empty = element('p', { class: 'quiet', i18n: 'history.empty' });
  #clear;
  #exports;
  #dialog;

  constructor() {
    super();
    this.#clear = this.#button('trash', 'history.clear', () => this.emit('clear'));
    const heading = element('h2', { id: 'history-heading', i18n: 'history.title' });
    const close = iconButton('close', 'action.close', () => this.close());
    const fresh = this.#button('plus', 'chat.new', () => this.emit('new'));
    const panel = element(
      'div',
      { class: 'history' },
      element('div', { class: 'sheet-head' }, heading, close),
      fresh,
      this.#empty,
      this.#list,
      this.#clear,
      this.#files(),
    );
    const attributes = { class: 'sheet history-sheet', 'aria-labelledby': 'history-heading' };
    this.#dialog = element('dialog', attributes, panel);
    closeOnBackdrop(this.#dialog);
    document.body.append(this.#dialog);
  }

  /** @param {object[]} records newest first @param {?string} currentId */
  show(records, currentId) {
    const nowMs = Date.now();
    this.#list.replaceChildren(...records.map((record) => this.#entry(record, currentId, nowMs)));
    this.#empty.hidden = records.length > 0;
    this.#clear.hidden = records.length === 0;
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Whether there is something to write into a file. */
  offerExport(offered) {
    this.#exports.hidden = !offered;
  }

  close() {
    this.#dialog.close();
  }

  #entry({ id, title, updatedMs }, currentId, nowMs) {
    const name = title || t('history.untitled');
    const when = relativeTime(updatedMs, nowMs, translator.language);
    const open = element(
      'button',
      {
        type: 'button',
        class: 'history-open',
        'aria-current': id === currentId && 'true',
        onclick: () => this.emit('open', id),
      },
      element('span', { class: 'history-title', text: name }),
      element('time', { datetime: new Date(updatedMs).toISOString(), text: when }),
    );
    const onRemove = () => this.emit('remove', id);
    const remove = iconButton('trash', 'history.remove', onRemove, { params: { name } });
    return element('li', {}, open, remove);
  }

  #files() {
    const input = element('input', {
      type: 'file',
      accept: '.json,application/json',
      class: 'visually-hidden',
      tabindex: '-1',
      'aria-hidden': 'true',
      onchange: () => {
        if (input.files.length > 0) this.emit('load', input.files[0]);
        input.value = '';
      },
    });
    const exports = Object.entries(FORMATS).map(([format, key]) =>
      this.#button('save', key, () => this.emit('export', format)),
    );
    const help = element('p', { class: 'help', i18n: 'history.export_help' });
    this.#exports = element('div', { class: 'history-files' }, ...exports, help);
    const load = this.#button('up', 'history.load', () => input.click());
    const heading = element('h3', { i18n: 'history.files' });
    return element('section', {}, heading, this.#exports, load, input);
  }

  #button(symbol, key, onclick) {
    const attributes = { type: 'button', class: 'button', onclick };
    return element('button', attributes, icon(symbol), element('span', { i18n: key }));
  }
}
