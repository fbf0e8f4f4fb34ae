/** What is shown while the microphone is open: state, time, level, and two ways to end. */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { element, icon, iconButton } from './dom.js';

const REFRESH_MS = 200;

export class RecordingStrip {
  #container;
  #state = element('span', { class: 'recording-state', role: 'status' });
  #time = element('span', { class: 'recording-time', role: 'timer' });
  #level = element('meter', { min: '0', max: '1', named: 'recording.level' });
  #finish;
  #timer = null;

  /**
   * @param {HTMLElement} container
   * @param {{onFinish: () => void, onDiscard: () => void}} handlers
   */
  constructor(container, { onFinish, onDiscard }) {
    this.#container = container;
    this.#finish = element(
      'button',
      { type: 'button', class: 'button primary', onclick: onFinish },
      icon('check'),
      element('span', { i18n: 'recording.finish' }),
    );
    const dot = element('span', { class: 'recording-dot', 'aria-hidden': 'true' });
    const discard = iconButton('close', 'recording.discard', onDiscard);
    container.append(dot, this.#state, this.#time, this.#level, discard, this.#finish);
  }

  /** Whether there is enough to be of use. */
  get canFinish() {
    return !this.#finish.disabled;
  }

  set canFinish(can) {
    this.#finish.disabled = !can;
  }

  /** Before the sound comes. @param {'recording.opening' | 'recording.permission'} key */
  showOpening(key) {
    this.#container.hidden = false;
    this.#container.dataset.state = 'opening';
    localize(this.#state, key);
  }

  /** @param {() => number} readLevel 0..1 @param {(elapsedS: number) => void} onTick */
  showRunning(readLevel, onTick) {
    this.#container.dataset.state = 'running';
    localize(this.#state, 'recording.running');
    const startedMs = performance.now();
    const refresh = () => {
      const elapsedS = (performance.now() - startedMs) / 1000;
      this.#time.textContent = clockText(elapsedS);
      this.#level.value = readLevel();
      onTick(elapsedS);
    };
    refresh();
    this.#timer = setInterval(refresh, REFRESH_MS);
  }

  hide() {
    clearInterval(this.#timer);
    this.#container.hidden = true;
  }
}
