/** How a visitor who looks elsewhere notices a call: chimes, vibration, title, notification. */

import { Chimes } from '../audio/chimes.js';
import { t } from '../i18n/index.js';
import { pause } from '../lib/pause.js';
import { isBusy } from '../lib/session-states.js';

const TURN_VIBRATION_MS = [200, 100, 200];
const ERROR_VIBRATION_MS = [400];
const FADE_MS = 500; // what still sounds at the end of a call is over by then
const VOICE_IS_RECORDED = 'dialog[open] .recording:not([hidden])';

export class CallSignals {
  #parts;
  #chimes;
  #comfort;
  #badged = false;

  /**
   * @param {{machine: import('../lib/call-machine.js').CallMachine,
   *          player: import('../audio/player.js').Player, comfort: object}} parts
   */
  constructor({ machine, player, comfort }) {
    [this.#parts, this.#comfort] = [{ machine, player }, comfort];
    const isHushed = () => player.muted || document.querySelector(VOICE_IS_RECORDED) !== null;
    this.#chimes = new Chimes(() => player.context, isHushed);
    const follow = ({ chimes, chime_volume: percent }) => {
      this.#chimes.volume = chimes ? percent / 100 : 0;
    };
    comfort.on('change', follow);
    follow(comfort.values);
    machine.on('queue', ({ position }) => this.#wait(position));
    machine.on('state', ({ state, previous }) => {
      if (previous !== 'queued') return;
      this.#chimes.rest();
      if (state === 'assigned') this.#announceTurn();
      else this.#badge(null);
    });
    machine.on('end', ({ reason, failure }) => void this.#end(reason, failure));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#badged) this.#badge(null);
    });
  }

  /** What is heard before the model listens. @returns {Promise<void>} once it is over */
  begin() {
    const lengthMs = this.#chimes.play('begin');
    return pause(lengthMs);
  }

  #wait(position) {
    this.#badge(`(${position}) `);
    if (position === 1) this.#chimes.repeatNext();
    else this.#chimes.rest();
  }

  #announceTurn() {
    this.#chimes.play('turn');
    navigator.vibrate?.(TURN_VIBRATION_MS);
    this.#badge(document.hidden ? '● ' : null);
    const allowed = globalThis.Notification?.permission === 'granted';
    if (document.hidden && allowed && this.#comfort.values.notify) notify();
  }

  /** One who gave up need not be told. Until the next call no sound is made, which saves power. */
  async #end(reason, failure) {
    this.#chimes.rest();
    const isTold = reason !== 'cancelled';
    const lengthMs = isTold ? this.#chimes.play(failure === null ? 'end' : 'error') : 0;
    if (isTold && failure !== null) navigator.vibrate?.(ERROR_VIBRATION_MS);
    await pause(lengthMs + FADE_MS);
    const { machine, player } = this.#parts;
    if (!isBusy(machine.state)) player.pause();
  }

  /** @param {?string} text before the title of the page */
  #badge(text) {
    this.#badged = text !== null;
    document.title = (text ?? '') + t(document.querySelector('title').dataset.i18n);
  }
}

/** Browsers that show notifications only from the background refuse to make one here. */
function notify() {
  try {
    const note = new Notification(t('call.turn_title'), { body: t('call.turn_text') });
    note.onclick = () => globalThis.focus();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
