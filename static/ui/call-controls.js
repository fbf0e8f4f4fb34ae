/**
 * The buttons of a call: which there are depends on the page and on the state of the call, and some
 * have keys; see shortcuts.js.
 */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { setIcon } from './dom.js';
import { Shortcuts } from './shortcuts.js';

const BUTTONS = ['start', 'cancel', 'stop', 'stop-answer', 'pause', 'resume', 'mute',
  'mute-speaker', 'force-listen'];
const MORE_BUTTONS = ['toggle-captions', 'devices', 'open-settings', 'open-metrics', 'choose-file',
  'check-setup', 'help', 'transcript'];
const ICONS = { mute: ['mic', 'mic_off'], 'mute-speaker': ['speaker', 'speaker_off'] }; // off, on
const NEXT = ['talk-button', 'stop', 'resume', 'start', 'cancel'];

/** Events: the id of each button, `escape`, `help`, and `talk` {held}. */
export class CallControls extends Emitter {
  #root;
  #byId;
  #shortcuts;
  #talks = false;

  /** @param {Document} document */
  constructor(document) {
    super();
    this.#byId = (id) => document.getElementById(id);
    this.#root = this.#byId('call');
    for (const id of [...BUTTONS, ...MORE_BUTTONS]) {
      this.#byId(id)?.addEventListener('click', () => this.emit(id, {}));
    }
    this.#shortcuts = new Shortcuts(document);
    this.#shortcuts.on('action', ({ name }) => this.#act(name));
    this.#shortcuts.on('talk', (event) => this.emit('talk', event));
  }

  /** Whether Space talks while a call is live. */
  set talks(on) {
    this.#talks = on;
    this.#shortcuts.talks = on && this.#root.dataset.state === 'live';
  }

  /** @param {string} state of lib/session-states.js */
  show(state) {
    const focused = this.#root.ownerDocument.activeElement;
    this.#root.dataset.state = state;
    this.talks = this.#talks;
    for (const element of this.#root.querySelectorAll('[data-when]')) {
      element.hidden = !element.dataset.when.split(' ').includes(state);
    }
    const pause = this.#byId('pause');
    if (pause !== null) pause.disabled = state === 'pausing';
    const gone = [...BUTTONS, ...NEXT].includes(focused?.id) && !focused.checkVisibility();
    if (gone || focused === this.#byId('controls')) this.#focusNext();
  }

  /** Whether there is an answer to stop; the button keeps the focus while there is none. */
  set answering(answering) {
    this.#byId('stop-answer').setAttribute('aria-disabled', String(!answering));
  }

  /** @param {'mute' | 'mute-speaker' | 'force-listen' | 'toggle-captions'} id */
  press(id, pressed) {
    const button = this.#byId(id);
    button.setAttribute('aria-pressed', String(pressed));
    if (id in ICONS) setIcon(button.querySelector('svg'), ICONS[id][Number(pressed)]);
    if (id !== 'mute') return;
    localize(button.querySelector('span'), pressed ? 'call.unmute' : 'call.mute');
  }

  /** A button that goes takes the focus with it; the next thing to do gets it. */
  #focusNext() {
    const next = NEXT.find((id) => this.#byId(id)?.checkVisibility());
    (this.#byId(next) ?? this.#byId('controls')).focus();
  }

  #act(name) {
    if (['escape', 'help'].includes(name)) this.emit(name, {});
    else if (name === 'pause') this.#click('pause', 'resume');
    else this.#click(name);
  }

  /** As a click would, where the button is there. */
  #click(...ids) {
    for (const button of ids.map((id) => this.#byId(id))) {
      if (button !== null && !button.hidden && !button.disabled) button.click();
    }
  }
}
