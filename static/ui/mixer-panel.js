/**
 * The panel of the mixer: three meters, and how loud file and microphone are for the model. It can
 * be moved aside, stays open during a call, and goes with Esc.
 */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { element, icon, iconButton } from './dom.js';
import { failureText } from './failure-text.js';
import { LevelBar } from './level-bar.js';

const TRIM = { min: '-12', max: '12', step: '1' };
const SLIDERS = {
  'file-trim': { key: 'mixer.file_trim', range: TRIM },
  'microphone-trim': { key: 'mixer.microphone_trim', range: TRIM },
  monitor: { key: 'mixer.monitor', range: { min: '0', max: '100', step: '5' } },
};

/** Events: `file-trim`, `microphone-trim` (dB), `monitor` (percent), `measure`, `preview`, `close`. */
export class MixerPanel extends Emitter {
  #panel;
  #opener = null;
  #sliders = {};
  #status = element('p', { class: 'mixer-status', role: 'status' });
  #sound = element('audio', { controls: true, hidden: true });
  #buttons = {};
  #facts = { file: element('p', { class: 'help' }), microphone: element('p', { class: 'help' }) };

  /** @param {HTMLElement} parent */
  constructor(parent) {
    super();
    const levels = element('div', { class: 'mixer-levels' });
    this.#panel = element(
      'section',
      { class: 'mixer', role: 'dialog', tabindex: '-1', 'aria-labelledby': 'mixer-heading', hidden: true },
      this.#head(),
      levels,
      this.#slider('file-trim', this.#facts.file),
      this.#slider('microphone-trim', this.#facts.microphone, this.#button('measure', 'mic')),
      this.#slider('monitor'),
      element('div', { class: 'mixer-preview' }, this.#button('preview', 'play'), this.#sound),
      this.#status,
    );
    this.meters = {
      file: new LevelBar(levels, 'mixer.file'),
      microphone: new LevelBar(levels, 'mixer.microphone'),
      mix: new LevelBar(levels, 'mixer.mix'),
    };
    addEventListener('keydown', (event) => this.#press(event), { capture: true });
    parent.append(this.#panel);
  }

  get shown() {
    return !this.#panel.hidden;
  }

  open() {
    this.#opener = document.activeElement;
    this.#panel.hidden = false;
    this.#panel.focus();
  }

  close() {
    if (!this.shown) return;
    this.#panel.hidden = true;
    this.#sound.pause();
    this.#opener?.focus();
    this.emit('close', {});
  }

  /** @param {Record<'file-trim' | 'microphone-trim' | 'monitor', number>} values */
  show(values) {
    for (const [name, { input, output }] of Object.entries(this.#sliders)) {
      input.value = String(values[name]);
      const key = name === 'monitor' ? 'mixer.percent' : 'mixer.decibels';
      localize(output, key, { value: values[name] });
    }
  }

  /** What is known of a sound. @param {'file' | 'microphone'} which @param {string} key */
  fact(which, key, params) {
    localize(this.#facts[which], key, params);
  }

  /** @param {'measure' | 'preview'} name @param {{key: string, disabled?: boolean}} state */
  button(name, { key, disabled = false }) {
    localize(this.#buttons[name].querySelector('span'), key);
    this.#buttons[name].disabled = disabled;
  }

  /** @param {?string} key null for nothing to say */
  status(key, params) {
    if (key === null) this.#status.replaceChildren();
    else this.#status.replaceChildren(element('span', { i18n: key, params }));
  }

  failure(failure) {
    this.#status.replaceChildren(...failureText(failure));
  }

  /** @param {?string} url of what has been mixed */
  offer(url) {
    this.#sound.hidden = url === null;
    if (url === null) this.#sound.removeAttribute('src');
    else this.#sound.src = url;
  }

  #head() {
    const head = element(
      'div',
      { class: 'mixer-head' },
      element('h2', { id: 'mixer-heading', i18n: 'call.mixer' }),
      iconButton('close', 'action.close', () => this.close()),
    );
    head.addEventListener('pointerdown', (event) => this.#drag(head, event));
    return head;
  }

  #slider(name, ...after) {
    const { key, range } = SLIDERS[name];
    const id = `mixer-${name}`;
    const input = element('input', { id, type: 'range', ...range });
    const output = element('output', { for: id });
    input.addEventListener('input', () => this.emit(name, input.valueAsNumber));
    this.#sliders[name] = { input, output };
    const label = element('label', { for: id }, element('span', { i18n: key }), output);
    return element('div', { class: 'field' }, label, input, ...after);
  }

  #button(name, symbol) {
    const label = element('span', { i18n: `mixer.${name}` });
    const onclick = () => this.emit(name, {});
    this.#buttons[name] = element('button', { type: 'button', class: 'button', onclick }, icon(symbol), label);
    return this.#buttons[name];
  }

  /** Before the call hears of it, whose Esc ends the call. */
  #press(event) {
    if (event.key !== 'Escape' || !this.shown || document.querySelector('dialog:modal')) return;
    event.stopPropagation();
    this.close();
  }

  #drag(head, { target, pointerId, clientX, clientY }) {
    if (target.closest('button')) return;
    const { left, top } = this.#panel.getBoundingClientRect();
    head.setPointerCapture(pointerId);
    head.onpointermove = (event) => {
      const x = Math.min(innerWidth - head.offsetWidth, left + event.clientX - clientX);
      const y = Math.min(innerHeight - head.offsetHeight, top + event.clientY - clientY);
      this.#panel.style.setProperty('--x', `${Math.max(0, x)}px`);
      this.#panel.style.setProperty('--y', `${Math.max(0, y)}px`);
    };
    head.onlostpointercapture = () => {
      head.onpointermove = null;
    };
  }
}
