/** Presets as radio buttons, and what can be done with one's own. */

import { Emitter } from '../lib/emitter.js';
import { MAX_NAME_CHARACTERS, presetName } from '../lib/preset-file.js';
import { element, icon } from './dom.js';
import { failureText } from './failure-text.js';

/**
 * Events: `choose` {id}, `save` {name}, `rename` {name}, `remove`, `export`, `load` {file}.
 * It tells of failures in place, since toasts lie below an open dialog.
 */
export class PresetBar extends Emitter {
  #list = element('div', { class: 'preset-list', role: 'radiogroup', 'aria-labelledby': 'presets-title' });
  #text = element('p', { class: 'help' });
  #progress = element('p', { class: 'preset-progress', role: 'status', hidden: true });
  #notes = element('div', { class: 'voice-notes', role: 'alert' });
  #name;
  #ofOwn; // buttons for the preset of one's own that is chosen
  #export;
  #presets = [];

  /** @param {HTMLElement} container */
  constructor(container) {
    super();
    container.replaceChildren(
      element('p', { class: 'field-title', id: 'presets-title', i18n: 'preset.title' }),
      this.#list,
      this.#text,
      this.#progress,
      this.#notes,
      this.#own(),
    );
    this.#list.addEventListener('change', ({ target }) => this.emit('choose', { id: target.value }));
  }

  /** @param {{id: string, name: string, description: string, isOwn: boolean}[]} presets */
  show(presets, chosenId) {
    this.#presets = presets;
    const hadFocus = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...presets.map(radio));
    this.#export.disabled = !presets.some(({ isOwn }) => isOwn);
    this.choose(chosenId);
    if (hadFocus) this.#list.querySelector('input:checked')?.focus();
  }

  /** @param {?string} id null when what is in use is no preset */
  choose(id) {
    const chosen = this.#presets.find((preset) => preset.id === id);
    for (const input of this.#list.querySelectorAll('input')) input.checked = input.value === id;
    const key = this.#presets.length === 0 ? 'preset.none' : 'preset.edited';
    this.#text.replaceWith((this.#text = description(chosen, key)));
    this.#ofOwn.hidden = !chosen?.isOwn;
    this.#name.value = chosen?.isOwn ? chosen.name : '';
  }

  /** @param {?string} name of the preset whose voice is on its way; null for none */
  set loading(name) {
    this.#progress.hidden = name === null;
    this.#notes.replaceChildren();
    if (name === null) return;
    const dots = element('span', { class: 'dots', 'aria-hidden': 'true' });
    const text = element('span', { i18n: 'preset.loading', params: { name } });
    this.#progress.replaceChildren(dots, text);
  }

  news(key, params) {
    this.#notes.replaceChildren(element('p', { i18n: key, params }));
  }

  /** @param {import('../lib/failure.js').Failure} failure */
  failure(failure) {
    this.#notes.replaceChildren(...failureText(failure));
  }

  #own() {
    const named = (event) => () => this.#withName((name) => this.emit(event, { name }));
    this.#name = element('input', {
      id: 'preset-name',
      type: 'text',
      maxlength: String(MAX_NAME_CHARACTERS),
      autocomplete: 'off',
      onkeydown: (event) => this.#enter(event),
    });
    const file = element('input', {
      type: 'file',
      class: 'visually-hidden',
      accept: 'application/json,.json',
      tabindex: '-1',
      'aria-hidden': 'true',
      onchange: () => {
        const [chosen] = file.files;
        if (chosen !== undefined) this.emit('load', { file: chosen });
        file.value = '';
      },
    });
    this.#ofOwn = element('span', { class: 'preset-actions', hidden: true },
      textButton('check', 'preset.rename', named('rename')),
      textButton('close', 'preset.remove', () => this.emit('remove')));
    this.#export = textButton('save', 'preset.export', () => this.emit('export'));
    return element('details', { class: 'preset-more' },
      element('summary', { i18n: 'preset.more' }),
      element('p', { class: 'help', i18n: 'preset.more_help' }),
      element('label', { for: 'preset-name', i18n: 'preset.name' }),
      this.#name,
      element('div', { class: 'preset-actions' },
        textButton('plus', 'preset.save', named('save')), this.#ofOwn),
      element('div', { class: 'preset-actions' }, this.#export,
        file, textButton('clip', 'preset.load', () => file.click())));
  }

  /** Enter saves, and must not close the sheet around it. */
  #enter(event) {
    if (event.key !== 'Enter' || event.isComposing) return;
    event.preventDefault();
    this.#withName((name) => this.emit('save', { name }));
  }

  #withName(act) {
    const name = presetName(this.#name.value);
    this.#name.setAttribute('aria-invalid', String(name === null));
    if (name !== null) act(name);
    else this.news('preset.name_missing', { count: MAX_NAME_CHARACTERS });
  }
}

function radio({ id, name }) {
  const input = element('input', { type: 'radio', name: 'preset', value: id });
  return element('label', { class: 'preset' }, input, element('span', { text: name }));
}

function description(chosen, key) {
  if (chosen === undefined) return element('p', { class: 'help', i18n: key });
  return element('p', { class: 'help', text: chosen.description, hidden: chosen.description === '' });
}

function textButton(symbol, i18n, onclick) {
  const text = element('span', { i18n });
  return element('button', { type: 'button', class: 'button', onclick }, icon(symbol), text);
}
