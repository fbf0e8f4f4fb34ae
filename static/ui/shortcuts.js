/**
 * The keys of a call. They count nowhere where one types, nor while a dialog is open; Space talks
 * only away from buttons and links, where it presses them.
 *
 * Events: `talk` {held}, `action` {name}.
 */

import { Emitter } from '../lib/emitter.js';

/** By key, what it does; help lists them in this order. */
export const SHORTCUTS = {
  ' ': 'talk',
  m: 'mute',
  s: 'mute-speaker',
  p: 'pause',
  f: 'force-listen',
  c: 'toggle-captions',
  d: 'open-metrics',
  Escape: 'escape',
  '?': 'help',
};
const FIELDS = 'input, select, textarea, [contenteditable]';
const CONTROLS = `a, button, summary, audio, ${FIELDS}`;

export class Shortcuts extends Emitter {
  #document;
  #talking = false;
  /** Whether Space talks; otherwise it does what it does anywhere. */
  talks = false;

  /** @param {Document} document */
  constructor(document) {
    super();
    this.#document = document;
    document.addEventListener('keydown', (event) => this.#press(event));
    document.addEventListener('keyup', ({ key }) => {
      if (key === ' ') this.#talk(false);
    });
    document.defaultView.addEventListener('blur', () => this.#talk(false));
  }

  #press(event) {
    const { key, target, ctrlKey, metaKey, altKey, isComposing } = event;
    if (ctrlKey || metaKey || altKey || isComposing) return;
    if (this.#document.querySelector('dialog[open]')) return;
    if (key === 'Escape' && this.#document.fullscreenElement) return; // it leaves the whole screen
    const name = SHORTCUTS[key] ?? SHORTCUTS[key.toLowerCase()];
    if (name === 'talk') this.#space(event);
    else if (name === undefined || event.repeat) return;
    else if (name === 'escape' || !target.closest(FIELDS)) this.emit('action', { name });
  }

  #space(event) {
    if (!this.talks || event.target.closest(CONTROLS)) return;
    event.preventDefault(); // the page would scroll
    this.#talk(true);
  }

  #talk(held) {
    if (held === this.#talking) return;
    this.#talking = held;
    this.emit('talk', { held });
  }
}
