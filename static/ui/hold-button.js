/** The large button of phones: held it listens, released it sends, slid up it gives up. */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { Emitter } from '../lib/emitter.js';
import { HoldGesture } from '../lib/hold-gesture.js';
import { element, icon } from './dom.js';

const REFRESH_MS = 200;
const WORDS = { idle: 'hold.idle', opening: 'hold.opening', listening: 'hold.listening' };

/** Events: `press`, `release` ('send' | 'cancel' | 'slip'). */
export class HoldButton extends Emitter {
  #gesture = new HoldGesture();
  #text = element('span', {});
  #time = element('span', { class: 'hold-time', role: 'timer' });
  #timer = null;

  constructor() {
    super();
    this.element = element(
      'button',
      {
        type: 'button',
        class: 'hold',
        onpointerdown: (event) => this.#press(event),
        onpointermove: (event) => this.#move(event),
        onpointerup: (event) => this.#release(event),
        onpointercancel: (event) => this.#release(event),
        oncontextmenu: (event) => event.preventDefault(), // of a long touch
        onkeydown: (event) => this.#key(event, (now) => this.#press(now)),
        onkeyup: (event) => this.#key(event, (now) => this.#release(now)),
      },
      icon('mic'),
      this.#text,
      this.#time,
    );
    this.#show('idle');
  }

  /** Sound is coming in. */
  listening() {
    if (!this.#gesture.held) return;
    const startedMs = performance.now();
    const refresh = () => {
      this.#time.textContent = clockText((performance.now() - startedMs) / 1000);
    };
    this.#show('listening');
    refresh();
    this.#timer = setInterval(refresh, REFRESH_MS);
  }

  /** Ends a hold that cannot go on. */
  reset() {
    this.#gesture.release(0);
    this.#show('idle');
  }

  #key(event, act) {
    if (event.code !== 'Space' && event.code !== 'Enter') return;
    event.preventDefault();
    event.stopPropagation();
    if (!event.repeat) act(event);
  }

  #press(event) {
    if (event.pointerId !== undefined) this.element.setPointerCapture(event.pointerId);
    this.#gesture.press(event.timeStamp, event.clientY ?? 0);
    this.#show('opening');
    this.emit('press', {});
  }

  #move({ clientY }) {
    this.element.toggleAttribute('data-cancel', this.#gesture.move(clientY));
    if (this.#timer !== null) this.#say();
  }

  #release({ timeStamp }) {
    const outcome = this.#gesture.release(timeStamp);
    if (outcome === null) return;
    this.#show('idle');
    this.emit('release', outcome);
  }

  #show(state) {
    clearInterval(this.#timer);
    this.#timer = null;
    this.#time.textContent = '';
    this.element.dataset.state = state;
    this.element.toggleAttribute('data-cancel', false);
    this.#say();
  }

  #say() {
    const { state } = this.element.dataset;
    const cancel = this.element.hasAttribute('data-cancel');
    localize(this.#text, cancel ? 'hold.cancel' : WORDS[state]);
  }
}
