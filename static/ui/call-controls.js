/**
 * The buttons of a call: which there are depends on the page and on the state of the call, and some
 * have keys.
 */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { setIcon } from './dom.js';

const BUTTONS = ['start', 'cancel', 'stop', 'stop-answer', 'pause', 'resume', 'mute', 'force-listen'];
const MORE_BUTTONS = ['toggle-captions', 'devices', 'open-settings', 'open-metrics', 'choose-file'];
const KEYS = { f: 'force-listen', m: 'mute', c: 'toggle-captions', d: 'open-metrics' };
const FIELDS = 'input, select, textarea, [contenteditable]';

/** Events: the id of each button, and `escape`. */
export class CallControls extends Emitter {
  #root;
  #byId;

  /** @param {Document} document */
  constructor(document) {
    super();
    this.#byId = (id) => document.getElementById(id);
    this.#root = this.#byId('call');
    for (const id of [...BUTTONS, ...MORE_BUTTONS]) {
      this.#byId(id)?.addEventListener('click', () => this.emit(id, {}));
    }
    document.addEventListener('keydown', (event) => this.#press(event));
  }

  /** @param {string} state of lib/session-states.js */
  show(state) {
    const focused = this.#root.ownerDocument.activeElement;
    this.#root.dataset.state = state;
    for (const element of this.#root.querySelectorAll('[data-when]')) {
      element.hidden = !element.dataset.when.split(' ').includes(state);
    }
    const pause = this.#byId('pause');
    if (pause !== null) pause.disabled = state === 'pausing';
    const gone = BUTTONS.includes(focused?.id) && !focused.checkVisibility();
    if (gone || focused === this.#byId('controls')) this.#focusNext();
  }

  /** Whether there is an answer to stop; the button keeps the focus while there is none. */
  set answering(answering) {
    this.#byId('stop-answer').setAttribute('aria-disabled', String(!answering));
  }

  /** @param {'mute' | 'force-listen' | 'toggle-captions'} id */
  press(id, pressed) {
    const button = this.#byId(id);
    button.setAttribute('aria-pressed', String(pressed));
    if (id !== 'mute') return;
    setIcon(button.querySelector('svg'), pressed ? 'mic_off' : 'mic');
    localize(button.querySelector('span'), pressed ? 'call.unmute' : 'call.mute');
  }

  /** A button that goes takes the focus with it; the next thing to do gets it. */
  #focusNext() {
    const next = ['stop', 'resume', 'start', 'cancel'].find((id) => this.#byId(id)?.hidden === false);
    (this.#byId(next) ?? this.#byId('controls')).focus();
  }

  #press(event) {
    const { key, target, ctrlKey, metaKey, altKey, repeat, isComposing } = event;
    if (ctrlKey || metaKey || altKey || repeat || isComposing) return;
    if (target.ownerDocument.querySelector('dialog[open]')) return;
    if (key === 'Escape') this.emit('escape', {});
    else if (target.closest(FIELDS)) return;
    else if (key.toLowerCase() === 'p') this.#click('pause', 'resume');
    else this.#click(KEYS[key.toLowerCase()]);
  }

  /** As a click would, where the button is there. */
  #click(...ids) {
    for (const button of ids.map((id) => this.#byId(id ?? ''))) {
      if (button !== null && !button.hidden && !button.disabled) button.click();
    }
  }
}
