/** The sheet that says how calls with pictures are recorded: format, quality, captions. */

import { localize } from '../i18n/index.js';
import { closeOnBackdrop } from './dialog.js';
import { element, icon } from './dom.js';

const MEGABITS = [1, 2, 4, 8];
const PERCENTS = {
  area_percent: { key: 'record.area_percent', range: { min: '5', max: '80', step: '5' } },
  bottom_percent: { key: 'record.bottom_percent', range: { min: '0', max: '100', step: '5' } },
  top_percent: { key: 'record.top_percent', range: { min: '0', max: '100', step: '5' } },
};

export class RecordingOptions {
  #settings;
  #dialog;
  #inputs = {};
  #outputs = {};
  #formats;

  /**
   * @param {HTMLElement} parent @param {import('../state/settings.js').SettingsStore} settings
   * @param {{mime: string, name: string, supported: boolean}[]} formats the best first
   */
  constructor(parent, settings, formats) {
    [this.#settings, this.#formats] = [settings, formats];
    const form = element(
      'form',
      { method: 'dialog', class: 'sheet-form' },
      head(),
      this.#formatField(),
      this.#qualityField(),
      this.#captionsField(),
      ...Object.keys(PERCENTS).map((name) => this.#percentField(name)),
      element('p', { class: 'help', i18n: 'record.next_call' }),
    );
    this.#dialog = element('dialog', { class: 'sheet', 'aria-labelledby': 'record-heading' }, form);
    closeOnBackdrop(this.#dialog);
    parent.append(this.#dialog);
    settings.on('change', () => this.#show());
  }

  open() {
    this.#show();
    this.#dialog.showModal();
  }

  #formatField() {
    const usable = this.#formats.filter(({ supported }) => supported);
    const rows = this.#formats.map(({ mime, name, supported }) => {
      const onchange = () => this.#settings.set('mime', mime);
      const input = element('input', { type: 'radio', name: 'format', value: mime, disabled: !supported, onchange });
      const light = element('span', { class: `support-light ${supported ? 'on' : 'off'}`, 'aria-hidden': 'true' });
      const words = element('span', { class: 'quiet', i18n: supported ? 'record.works' : 'record.does_not_work' });
      return element('label', { class: 'format' }, input, light, element('span', { text: name }), words);
    });
    const params = { count: usable.length, all: rows.length };
    const legend = element('legend', { i18n: 'record.format' });
    const count = element('p', { class: 'help', i18n: 'record.format_count', params });
    return element('fieldset', { class: 'field formats' }, legend, ...rows, count);
  }

  #qualityField() {
    const options = MEGABITS.map((value) =>
      element('option', { value, i18n: 'record.megabits', params: { value } }),
    );
    const onchange = ({ target }) => this.#settings.set('megabits', Number(target.value));
    this.#inputs.megabits = element('select', { id: 'record-quality', onchange }, ...options);
    const label = element('label', { for: 'record-quality', i18n: 'record.quality' });
    const help = element('p', { class: 'help', i18n: 'record.quality_help' });
    return element('div', { class: 'field' }, label, this.#inputs.megabits, help);
  }

  #captionsField() {
    const onchange = ({ target }) => this.#settings.set('captions', target.checked);
    const input = element('input', { id: 'record-captions', type: 'checkbox', role: 'switch', onchange });
    this.#inputs.captions = input;
    const label = element('label', { for: 'record-captions', i18n: 'record.captions' });
    return element('div', { class: 'field switch-field' }, input, label);
  }

  #percentField(name) {
    const { key, range } = PERCENTS[name];
    const id = `record-${name}`;
    const oninput = ({ target }) => this.#settings.set(name, target.valueAsNumber);
    this.#inputs[name] = element('input', { id, type: 'range', ...range, oninput });
    this.#outputs[name] = element('output', { for: id });
    const words = element('span', { i18n: key });
    const label = element('label', { for: id }, words, this.#outputs[name]);
    return element('div', { class: 'field' }, label, this.#inputs[name]);
  }

  #show() {
    const { values } = this.#settings;
    const chosen = this.#formats.find(({ mime, supported }) => supported && mime === values.mime);
    const best = this.#formats.find(({ supported }) => supported);
    for (const input of this.#dialog.querySelectorAll('[name="format"]')) {
      input.checked = input.value === (chosen ?? best)?.mime;
    }
    this.#inputs.megabits.value = String(values.megabits);
    this.#inputs.captions.checked = values.captions;
    for (const name of Object.keys(PERCENTS)) {
      this.#inputs[name].value = String(values[name]);
      this.#inputs[name].disabled = !values.captions;
      localize(this.#outputs[name], 'mixer.percent', { value: values[name] });
    }
  }
}

function head() {
  const close = { type: 'submit', class: 'icon-button', label: 'action.close' };
  return element(
    'div',
    { class: 'sheet-head' },
    element('h2', { id: 'record-heading', i18n: 'call.recording_options' }),
    element('button', close, icon('close')),
  );
}
