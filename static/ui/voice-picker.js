/** Where one chooses what answers sound like: the service's voice, a sound file or a recording. */

import { Emitter } from '../lib/emitter.js';
import { audioPill } from './audio-pill.js';
import { element, icon, iconButton } from './dom.js';
import { failureText } from './failure-text.js';

/**
 * Events: `file` (File), `start` (record, or finish recording), `remove`.
 * It tells of failures in place, since toasts lie below an open dialog.
 */
export class VoicePicker extends Emitter {
  #current = element('div', { class: 'voice-current' });
  #notes = element('div', { class: 'voice-notes', role: 'alert' });
  #record;

  /** @param {HTMLElement} container @param {{titleKey: string, helpKey: string}} words */
  constructor(container, { titleKey, helpKey }) {
    super();
    const file = element('input', {
      type: 'file',
      class: 'visually-hidden',
      accept: 'audio/*',
      tabindex: '-1',
      'aria-hidden': 'true',
    });
    file.addEventListener('change', () => {
      const [chosen] = file.files;
      if (chosen !== undefined) this.emit('file', chosen);
      file.value = '';
    });
    const choose = textButton('clip', 'voice.file', () => file.click());
    this.#record = textButton('mic', 'voice.record', () => this.emit('start'));
    this.recording = element('div', { class: 'recording', hidden: true });
    container.append(
      element('p', { class: 'voice-title', id: `${container.id}-title`, i18n: titleKey }),
      this.#current,
      element('div', { class: 'voice-actions' }, file, choose, this.#record),
      this.recording,
      this.#notes,
      element('p', { class: 'help', i18n: helpKey }),
    );
    container.setAttribute('role', 'group');
    container.setAttribute('aria-labelledby', `${container.id}-title`);
  }

  /** @param {?{url: string, name: string, durationS: number}} voice null: the service's own */
  show(voice) {
    this.#notes.replaceChildren();
    if (voice === null) {
      this.#current.replaceChildren(element('p', { i18n: 'voice.default' }));
      return;
    }
    const params = { name: voice.name };
    const remove = iconButton('close', 'action.remove', () => this.#removed(), { params });
    const label = element('span', { class: 'voice-name', text: voice.name });
    this.#current.replaceChildren(label, audioPill(voice), remove);
  }

  /** Shows whether a recording runs. */
  setActive(active) {
    this.#record.setAttribute('aria-pressed', String(active));
    if (active) this.#notes.replaceChildren();
  }

  news(key, params) {
    this.#note(element('p', { i18n: key, params }));
  }

  warn(titleKey, hintKey) {
    const title = element('p', { class: 'failure-title', i18n: titleKey });
    this.#note(title, element('p', { i18n: hintKey }));
  }

  failure(failure) {
    this.#note(...failureText(failure));
  }

  #note(...content) {
    this.#notes.replaceChildren(...content);
    this.#notes.scrollIntoView({ block: 'nearest' });
  }

  #removed() {
    this.emit('remove');
    this.#record.focus(); // the button that was pressed is gone
  }
}

function textButton(symbol, i18n, onclick) {
  const text = element('span', { i18n });
  return element('button', { type: 'button', class: 'button', onclick }, icon(symbol), text);
}
