/** How a visitor who looks elsewhere notices a call: chimes, vibration, title, notification. */

import { Chimes } from '../audio/chimes.js';
import { t } from '../i18n/index.js';
import { pause } from '../lib/pause.js';

const TURN_VIBRATION_MS = [200, 100, 200];
const ERROR_VIBRATION_MS = [400];
const VOICE_IS_RECORDED = 'dialog[open] .recording:not([hidden])';

export class CallSignals {
  #chimes;
  #comfort;
  #badged = false;

  /**
   * @param {{machine: import('../lib/call-machine.js').CallMachine,
   *          player: import('../audio/player.js').Player, comfort: object}} parts
   */
  constructor({ machine, player, comfort }) {
    this.#comfort = comfort;
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
    machine.on('end', ({ reason, failure }) => this.#end(reason, failure));
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

  /** One who gave up need not be told. */
  #end(reason, failure) {
    this.#chimes.rest();
    if (reason === 'cancelled') return;
    this.#chimes.play(failure === null ? 'end' : 'error');
    if (failure !== null) navigator.vibrate?.(ERROR_VIBRATION_MS);
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
