/**
 * Starting and ending a recording by button or by Space.
 *
 * Space counts outside of fields and controls, and in the message field while that is empty.
 */

import { Emitter } from '../lib/emitter.js';
import { PressToTalk } from '../lib/press-to-talk.js';

const CONTROLS = 'a, button, input, select, textarea, summary, audio, [contenteditable], dialog';

/** Events: `start`, `stop`. */
export class TalkControl extends Emitter {
  #press = new PressToTalk();
  #button;
  #draft;
  #spaceDown = false;

  /** @param {HTMLButtonElement} button @param {HTMLTextAreaElement} draft */
  constructor(button, draft) {
    super();
    this.#button = button;
    this.#draft = draft;
    button.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.#pressed(event);
    });
    button.addEventListener('pointerup', (event) => this.#released(event));
    button.addEventListener('pointercancel', (event) => this.#released(event));
    button.addEventListener('click', (event) => {
      if (event.detail === 0) this.tap(); // by keyboard, not by pointer
    });
    button.ownerDocument.addEventListener('keydown', (event) => this.#keyDown(event));
    button.ownerDocument.addEventListener('keyup', (event) => this.#keyUp(event));
  }

  /** @see PressToTalk#running */
  get running() {
    return this.#press.running;
  }

  /** Starts, or ends what runs. */
  tap() {
    const now = performance.now();
    this.emit(this.#press.press(now));
    this.#press.release(now);
  }

  /** Shows whether a recording runs; it may also end or fail by itself. */
  setActive(active) {
    this.#button.setAttribute('aria-pressed', String(active));
    if (!active) this.#press.reset();
  }

  #keyDown(event) {
    if (event.code !== 'Space' || event.isComposing || !this.#isFree(event)) return;
    event.preventDefault();
    if (event.repeat || this.#spaceDown) return;
    this.#spaceDown = true;
    this.#pressed(event);
  }

  #keyUp(event) {
    if (event.code !== 'Space' || !this.#spaceDown) return;
    event.preventDefault();
    this.#spaceDown = false;
    this.#released(event);
  }

  #isFree({ target, ctrlKey, metaKey, altKey }) {
    if (ctrlKey || metaKey || altKey) return false;
    return target === this.#draft ? this.#draft.value === '' : !target.closest(CONTROLS);
  }

  #pressed({ timeStamp }) {
    this.emit(this.#press.press(timeStamp));
  }

  #released({ timeStamp }) {
    if (this.#press.release(timeStamp) === 'stop') this.emit('stop');
  }
}
