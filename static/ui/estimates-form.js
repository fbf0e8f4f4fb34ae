/** The expected seconds of each kind of request beside what was measured, and the smoothing. */

import { Draft } from '../lib/draft.js';
import { Emitter } from '../lib/emitter.js';
import { element } from './dom.js';
import { requestTypeText } from './request-type.js';

const KINDS = [
  { name: 'chat', type: 'chat' },
  { name: 'streaming', type: 'streaming' },
  { name: 'half_duplex', type: 'half_duplex_audio' },
  { name: 'audio_duplex', type: 'audio_duplex' },
  { name: 'omni_duplex', type: 'omni_duplex' },
];
const SMOOTHING = 'ema_alpha';
const COLUMNS = ['admin.column.type', 'admin.expected', 'admin.learned', 'admin.samples'];
const CLASSES = [null, 'numeric', 'numeric', 'numeric minor'];

/** Event: `save` with the changed values. */
export class EstimatesForm extends Emitter {
  #draft = new Draft();
  #inputs = new Map();
  #measured = new Map();
  #latest = {};

  /** @param {HTMLFormElement} form */
  constructor(form) {
    super();
    const fields = element('fieldset', { class: 'plain', 'data-writing': true });
    const reachable = { role: 'group', tabindex: '0', named: 'admin.estimates' };
    const scroller = element('div', { class: 'table-scroller', ...reachable }, this.#table());
    fields.append(scroller, this.#smoothing());
    const undo = element('button', { type: 'button', class: 'button', i18n: 'admin.undo' });
    undo.addEventListener('click', () => this.#undo());
    const save = element('button', { class: 'button primary', i18n: 'admin.save' });
    const actions = element('div', { class: 'form-actions write' }, save, undo);
    form.append(fields, actions);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.emit('save', this.#draft.changes);
    });
  }

  /** @param {object} status of `GET /api/config/eta`; fields that are being edited stay */
  show(status) {
    const names = KINDS.map(({ name }) => `eta_${name}_s`);
    this.#latest = Object.fromEntries(names.map((name) => [name, status.config[name]]));
    this.#latest[SMOOTHING] = status.ema_alpha;
    this.#fill();
    for (const { name } of KINDS) {
      const { average, samples } = this.#measured.get(name);
      const averageS = status[`ema_${name}_s`];
      average.textContent = averageS === null ? '–' : averageS.toFixed(1);
      samples.textContent = String(status[`ema_${name}_samples`]);
    }
  }

  /** These values are the server's now. */
  saved(changes) {
    this.#draft.settle(changes);
    this.#mark();
  }

  #undo() {
    this.#draft.settle();
    this.#fill();
  }

  #fill() {
    const values = this.#draft.accept(this.#latest);
    for (const [name, value] of Object.entries(values)) {
      this.#inputs.get(name).value = String(value);
    }
    this.#mark();
  }

  #mark() {
    const changes = this.#draft.changes;
    for (const [name, input] of this.#inputs) input.toggleAttribute('data-edited', name in changes);
  }

  #table() {
    const heads = COLUMNS.map((i18n, at) =>
      element('th', { scope: 'col', i18n, class: CLASSES[at] }),
    );
    const caption = element('caption', { class: 'visually-hidden', i18n: 'admin.estimates' });
    const lines = KINDS.map((kind) => this.#line(kind));
    const head = element('thead', {}, element('tr', {}, ...heads));
    return element('table', {}, caption, head, element('tbody', {}, ...lines));
  }

  #line({ name, type }) {
    const id = `estimate-${name}`;
    const title = element('th', { scope: 'row', id, ...requestTypeText(type) });
    const input = this.#input(`eta_${name}_s`, { min: '0.1', 'aria-labelledby': id });
    const average = element('td', { class: 'numeric' });
    const samples = element('td', { class: 'numeric minor' });
    this.#measured.set(name, { average, samples });
    return element('tr', {}, title, element('td', { class: 'numeric' }, input), average, samples);
  }

  #smoothing() {
    const id = 'estimate-smoothing';
    const range = { min: '0.01', max: '1' };
    const input = this.#input(SMOOTHING, { id, ...range, 'aria-describedby': `${id}-help` });
    const label = element('label', { for: id, i18n: 'admin.smoothing' });
    const help = element('p', { id: `${id}-help`, class: 'help', i18n: 'admin.smoothing_help' });
    return element('div', { class: 'field smoothing' }, label, input, help);
  }

  #input(name, attributes) {
    const input = element('input', {
      type: 'number',
      class: 'estimate',
      name,
      step: 'any',
      required: true,
      inputmode: 'decimal',
      ...attributes,
      onfocus: () => this.#draft.hold(name),
      onblur: () => this.#draft.hold(null),
      oninput: () => {
        this.#draft.edit(name, Number(input.value));
        this.#mark();
      },
    });
    this.#inputs.set(name, input);
    return input;
  }
}
