/** The sheet with the microphone, its level, and the loudspeaker. */

import { Emitter } from '../lib/emitter.js';
import { closeOnBackdrop } from './dialog.js';
import { element, icon } from './dom.js';
import { failureText } from './failure-text.js';

/** Events: `microphone` (device id, '' for the system's choice), `speaker` (likewise), `close`. */
export class DeviceMenu extends Emitter {
  #dialog;
  #microphones = element('select', { id: 'microphone-choice' });
  #speakers = element('select', { id: 'speaker-choice' });
  #level = element('meter', { min: '0', max: '1', named: 'recording.level' });
  #notes = element('div', { class: 'device-notes', role: 'alert' });

  /** @param {HTMLElement} parent @param {{hasSpeakers: boolean}} options where it can be chosen */
  constructor(parent, { hasSpeakers }) {
    super();
    this.#microphones.addEventListener('change', () => this.#chosen('microphone'));
    this.#speakers.addEventListener('change', () => this.#chosen('speaker'));
    const form = element('form', { method: 'dialog', class: 'sheet-form' }, head(), this.#notes);
    form.append(
      field('microphone-choice', 'call.microphone', this.#microphones, this.#level),
      hasSpeakers
        ? field('speaker-choice', 'call.speaker', this.#speakers)
        : element('p', { class: 'help', i18n: 'call.no_speaker_choice' }),
      element('p', { class: 'help', i18n: 'call.devices_help' }),
    );
    this.#dialog = element('dialog', { class: 'sheet', 'aria-labelledby': 'devices-heading' }, form);
    this.#dialog.addEventListener('close', () => this.emit('close', {}));
    closeOnBackdrop(this.#dialog);
    parent.append(this.#dialog);
  }

  get shown() {
    return this.#dialog.open;
  }

  /** @param {number} level 0..1 */
  set level(level) {
    this.#level.value = level;
  }

  open() {
    this.#notes.replaceChildren();
    this.#dialog.showModal();
  }

  /** @param {object} choice lists of {id, name}, and which of each is chosen */
  show({ microphones, speakers, microphoneId, speakerId }) {
    fill(this.#microphones, microphones, microphoneId);
    fill(this.#speakers, speakers, speakerId);
  }

  /** In place, since toasts lie below an open dialog. */
  failure(failure) {
    this.#notes.replaceChildren(element('div', { class: 'failure' }, icon('alert'),
      element('div', {}, ...failureText(failure))));
  }

  #chosen(kind) {
    this.#notes.replaceChildren();
    this.emit(kind, kind === 'microphone' ? this.#microphones.value : this.#speakers.value);
  }
}

function head() {
  const close = { type: 'submit', class: 'icon-button', label: 'action.close' };
  return element(
    'div',
    { class: 'sheet-head' },
    element('h2', { id: 'devices-heading', i18n: 'call.devices' }),
    element('button', close, icon('close')),
  );
}

function field(id, key, ...controls) {
  return element('div', { class: 'field' }, element('label', { for: id, i18n: key }), ...controls);
}

function fill(select, devices, chosenId) {
  const named = devices.filter(({ id }) => id !== 'default' && id !== 'communications');
  const options = named.map(({ id, name }) => element('option', { value: id, text: name }));
  select.replaceChildren(element('option', { value: '', i18n: 'call.system_choice' }), ...options);
  select.value = named.some(({ id }) => id === chosenId) ? chosenId : '';
}
