/** What is shown while an answer is spoken: its state, the time, and pausing and ending it. */

import { localize, localizeLabel } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { pauseSounds } from './audio-pill.js';
import { element, iconButton, setIcon } from './dom.js';

const REFRESH_MS = 200;
const LOCKED_AFTER_MS = 500; // contexts need a moment to start

export class SpeakingStrip {
  #player;
  #toggle = iconButton('pause', 'speech.pause', () => this.#toggled());
  #state = element('span', { class: 'speaking-state', i18n: 'speech.speaking' });
  #time = element('span', { class: 'pill-time', text: clockText(0) });
  #silentSinceMs = null;
  #timer;

  /**
   * @param {{player: {playedMs: number, locked: boolean, paused: boolean, pause: () => void,
   *          resume: () => void}, onStop: () => void}} options
   */
  constructor({ player, onStop }) {
    this.#player = player;
    const stop = iconButton('stop', 'speech.stop', onStop);
    const parts = [this.#toggle, this.#state, this.#time, stop];
    this.element = element('div', { class: 'audio-pill speaking' }, ...parts);
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS);
  }

  close() {
    clearInterval(this.#timer);
  }

  get #locked() {
    if (!this.#player.locked) this.#silentSinceMs = null;
    else this.#silentSinceMs ??= performance.now();
    const sinceMs = this.#silentSinceMs ?? Infinity;
    return performance.now() - sinceMs >= LOCKED_AFTER_MS;
  }

  #toggled() {
    if (this.#player.paused || this.#player.locked) {
      pauseSounds();
      this.#player.resume();
    } else this.#player.pause();
    this.#refresh();
  }

  #refresh() {
    const { paused, playedMs } = this.#player;
    const silent = paused || this.#locked;
    setIcon(this.#toggle.querySelector('svg'), silent ? 'play' : 'pause');
    localizeLabel(this.#toggle, silent ? 'speech.resume' : 'speech.pause');
    localize(this.#state, stateKey(paused, silent));
    this.#time.textContent = clockText(playedMs / 1000);
  }
}

function stateKey(paused, silent) {
  if (paused) return 'speech.paused';
  return silent ? 'speech.locked' : 'speech.speaking';
}
