/** Where one chooses a voice: from the server, a sound file or a recording. */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { audioPill } from './audio-pill.js';
import { element, icon, iconButton } from './dom.js';
import { failureText } from './failure-text.js';

const OWN = 'own';

/**
 * Events: `file` (File), `start` (record, or finish recording), `remove`, `listen`, and `source`:
 * the id of what was chosen on the server.
 * It tells of failures in place, since toasts lie below an open dialog.
 */
export class VoicePicker extends Emitter {
  #current = element('div', { class: 'voice-current' });
  #reason = element('p', { class: 'help', hidden: true });
  #notes = element('div', { class: 'voice-notes', role: 'alert' });
  #sources;
  #base = element('option', { value: '' });
  #own = element('option', { value: OWN, hidden: true });
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
    this.#sources = element('select', { named: 'voice.source', hidden: true }, this.#base, this.#own);
    this.#sources.addEventListener('change', () => this.#choose(this.#sources.value));
    this.recording = element('div', { class: 'recording', hidden: true });
    container.replaceChildren(
      element('p', { class: 'field-title', id: `${container.id}-title`, i18n: titleKey }),
      this.#sources,
      this.#current,
      this.#reason,
      element('div', { class: 'voice-actions' }, file, choose, this.#record),
      this.recording,
      this.#notes,
      element('p', { class: 'help', i18n: helpKey }),
    );
    container.setAttribute('role', 'group');
    container.setAttribute('aria-labelledby', `${container.id}-title`);
    acceptDrop(container, (dropped) => this.emit('file', dropped));
  }

  /** @param {{id: string, name: string, key?: string}[]} sources on the server */
  offer(sources) {
    const options = sources.map(({ id, name, key }) =>
      element('option', key === undefined ? { value: id, text: name } : { value: id, i18n: key }),
    );
    const { value } = this.#sources;
    this.#sources.replaceChildren(this.#base, this.#own, ...options);
    this.#sources.value = value;
    this.#sources.hidden = sources.length === 0;
  }

  /**
   * @param {?{url: string, name: string, durationS: number, sourceId: ?string}} voice null: none of
   *        its own; `sourceId` is null for what does not lie on the server
   * @param {string} baseKey what holds without one @param {boolean} canListen to that
   */
  show(voice, baseKey, canListen) {
    this.#notes.replaceChildren();
    this.#current.removeAttribute('aria-busy');
    localize(this.#base, baseKey);
    this.#own.hidden = voice === null || voice.sourceId !== null;
    this.#own.textContent = voice?.name ?? '';
    this.#sources.value = voice === null ? '' : (voice.sourceId ?? OWN);
    if (voice === null) this.#showBase(baseKey, canListen);
    else this.#showVoice(voice);
  }

  /** Plays what `listen` asked for. @param {{url: string, name: string, durationS: number}} voice */
  play(voice) {
    const pill = audioPill(voice);
    this.#current.replaceChildren(this.#current.firstElementChild, pill);
    pill.querySelector('button').focus();
    pill.querySelector('button').click();
  }

  /** Shows that a voice is on its way. */
  showLoading() {
    this.#notes.replaceChildren();
    this.#current.setAttribute('aria-busy', 'true');
    this.#current.replaceChildren(
      element('span', { class: 'dots', 'aria-hidden': 'true' }),
      element('span', { role: 'status', i18n: 'voice.loading' }),
    );
  }

  /** @param {?string} key why the voice is not the one that one might expect */
  explain(key) {
    this.#reason.hidden = key === null;
    if (key !== null) localize(this.#reason, key);
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

  #showBase(key, canListen) {
    const listen = canListen && iconButton('play', 'voice.listen', () => this.emit('listen'));
    this.#current.replaceChildren(element('p', { i18n: key }), ...(listen ? [listen] : []));
  }

  #showVoice(voice) {
    const params = { name: voice.name };
    const remove = iconButton('close', 'action.remove', () => this.#removed(), { params });
    const label = element('span', { class: 'voice-name', text: voice.name });
    this.#current.replaceChildren(label, audioPill(voice), remove);
  }

  #note(...content) {
    this.#notes.replaceChildren(...content);
    this.#notes.scrollIntoView({ block: 'nearest' });
  }

  #choose(id) {
    if (id === '') this.emit('remove');
    else if (id !== OWN) this.emit('source', id);
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

/** A file that is dropped here is meant for here, and not for the page around it. */
function acceptDrop(container, onFile) {
  const take = (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.stopPropagation();
    container.toggleAttribute('data-hovered', ['dragenter', 'dragover'].includes(event.type));
    const [file] = event.type === 'drop' ? event.dataTransfer.files : [];
    if (file !== undefined) onFile(file);
  };
  for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    container.addEventListener(type, take);
  }
}
