/** How the visitor talks: with an open microphone, while a button is held, or when heard to speak. */

import { Emitter } from '../lib/emitter.js';
import { element, icon } from './dom.js';

const MODES = ['open', 'hold', 'auto'];

/** Events: `mode` {mode}, `hold` {held}. */
export class TalkModes extends Emitter {
  #container;
  #radios;
  #button;

  /** @param {HTMLElement} container */
  constructor(container) {
    super();
    this.#container = container;
    this.#radios = MODES.map((mode) => this.#radio(mode));
    const labels = this.#radios.map((radio) =>
      element('label', { class: 'segment' }, radio, element('span', { i18n: `call.talk.${radio.value}` })),
    );
    this.#button = element(
      'button',
      { id: 'talk-button', type: 'button', class: 'button talk-button', 'aria-pressed': 'false' },
      icon('mic'),
      element('span', { i18n: 'call.talk.button' }),
    );
    this.#listenToButton();
    const legend = element('legend', { class: 'visually-hidden', i18n: 'call.talk' });
    container.append(element('fieldset', { class: 'segments' }, legend, ...labels), this.#button);
  }

  /** @param {'open' | 'hold' | 'auto'} mode */
  set mode(mode) {
    this.#container.dataset.mode = mode;
    for (const radio of this.#radios) radio.checked = radio.value === mode;
  }

  /** Whether the visitor's voice goes to the model now. */
  set open(open) {
    this.#container.toggleAttribute('data-open', open);
    this.#button.setAttribute('aria-pressed', String(open));
  }

  #radio(mode) {
    const onchange = () => this.emit('mode', { mode });
    return element('input', { type: 'radio', name: 'talk', value: mode, onchange });
  }

  #listenToButton() {
    const button = this.#button;
    const hold = (held) => this.emit('hold', { held });
    button.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      hold(true);
    });
    for (const name of ['pointerup', 'pointercancel', 'blur']) {
      button.addEventListener(name, () => hold(false));
    }
    button.addEventListener('contextmenu', (event) => event.preventDefault()); // of a long touch
    button.addEventListener('keydown', (event) => {
      if (isPress(event) && !event.repeat) hold(true);
    });
    button.addEventListener('keyup', (event) => {
      if (isPress(event)) hold(false);
    });
  }
}

function isPress({ key }) {
  return key === ' ' || key === 'Enter';
}
