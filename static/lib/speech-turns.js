/**
 * What the model says in a call: which results begin, continue and close a turn, which sound is
 * dropped, and when what still sounds is cut.
 *
 * Events:
 *   turnStart {}                 the model begins to speak
 *   turnText  {text, durationMs} more of the turn, and how long its sound is
 *   turnEnd   {reason}           'complete' | 'listen' | 'interrupted'
 *   cut       {audioEpoch, playedMs, aheadMs}   sound that was under way has been silenced
 *   userText  {text}             what the service understood of the visitor
 */

import { Emitter } from './emitter.js';
import { SPEECH_SAMPLE_RATE } from './limits.js';

export class SpeechTurns extends Emitter {
  #player;
  #epoch = 0;
  #open = false;
  #discarding = false; // speech that was under way when listening was forced

  /** @param {object} player as audio/player.js */
  constructor(player) {
    super();
    this.#player = player;
  }

  /** Of the sound that is taken now. */
  get epoch() {
    return this.#epoch;
  }

  /** Whether the model is in the middle of a turn. */
  get open() {
    return this.#open;
  }

  /** Whether anything is being said or still sounds. */
  get speaking() {
    return this.#open || this.#player.aheadMs > 0;
  }

  /** @param {object} result as the event of net/duplex-api.js, in order of arrival */
  handle(result) {
    if (result.audioEpoch < this.#epoch) return;
    if (result.audioEpoch > this.#epoch) {
      this.interrupt();
      this.#epoch = result.audioEpoch;
    }
    if (result.skipped) return; // stands for no unit, so it says nothing about the turn
    if (result.isListen) this.#listen(result);
    else if (!this.#discarding) this.#speak(result);
  }

  /** Silences the model, and drops what it goes on saying until it listens. */
  forceListen() {
    this.interrupt();
    this.#discarding = true;
  }

  /** Silences what sounds and closes the turn. */
  interrupt() {
    const { aheadMs } = this.#player;
    if (aheadMs > 0) {
      const playedMs = Math.round(this.#player.stopAll());
      this.emit('cut', { audioEpoch: this.#epoch, playedMs, aheadMs });
    }
    this.#close('interrupted');
  }

  #listen({ text }) {
    this.#discarding = false;
    this.#close('listen');
    if (text !== '') this.emit('userText', { text });
  }

  #speak({ text, samples, endOfTurn }) {
    if (!this.#open) {
      this.#open = true;
      this.#player.beginTurn();
      this.emit('turnStart', {});
    }
    if (samples !== null) this.#player.push(samples);
    const durationMs = ((samples?.length ?? 0) / SPEECH_SAMPLE_RATE) * 1000;
    this.emit('turnText', { text, durationMs });
    if (endOfTurn) this.#close('complete');
  }

  #close(reason) {
    if (!this.#open) return;
    this.#open = false;
    this.#player.endTurn();
    this.emit('turnEnd', { reason });
  }
}
