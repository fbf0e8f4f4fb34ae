/**
 * Plays streamed speech turn by turn without gaps, and measures itself.
 *
 * `unlock()` belongs into a click, or browsers keep the sound off. A turn begins with `beginTurn()`
 * and ends with `endTurn()` or `stopAll()`; sound that is pushed outside of one is late for a turn
 * that was cut, and is dropped.
 */

import { Emitter } from '../lib/emitter.js';
import { SPEECH_SAMPLE_RATE } from '../lib/limits.js';
import { PlayoutClock } from '../lib/playout-clock.js';
import { SpeechOutput } from './speech-output.js';

const START_POLL_MS = 10;
const DUCKED_GAIN = 10 ** (-12 / 20);

/**
 * Events:
 *   start  {holdMs}                                first sound of a turn, so long after it arrived
 *   gap    {gapIndex, gapMs, totalShiftMs, turn}   a piece came too late
 *   idle   {}                                      all sound of an ended turn was played
 *   cut    {wallMs, heardMs}                       sound that was announced to taps ends here
 */
export class Player extends Emitter {
  #Context;
  #now;
  #output = null;
  #clock;
  #turn = 0;
  #open = false; // whether the turn takes more sound
  #placed = false; // whether some of the turn's sound is scheduled
  #paused = false;
  #held = []; // samples the clock holds
  #holdTimer = null;
  #startTimer = null;
  #interruptions = 0;
  #volume = 1;
  #muted = false;
  #ducked = false;
  #speakerId = '';

  /**
   * @param {{playbackDelayMs: number, Context?: typeof AudioContext, now?: () => number}} options
   *        `now` is a wall clock in milliseconds
   */
  constructor({
    playbackDelayMs,
    Context = globalThis.AudioContext,
    now = () => performance.now(),
  }) {
    super();
    this.#clock = new PlayoutClock({ playbackDelayMs });
    [this.#Context, this.#now] = [Context, now];
  }

  /** How long the first piece of the next turn is held. */
  set playbackDelayMs(delayMs) {
    this.#clock.playbackDelayMs = delayMs;
  }

  /** Whether that grows with gaps and shrinks without, from one turn to the next. */
  set adaptive(on) {
    this.#clock.adaptive = on;
  }

  /** @param {number} gain 0..1 */
  set volume(gain) {
    this.#volume = gain;
    this.#applyVolume();
  }

  get muted() {
    return this.#muted;
  }

  /** While on, nobody hears it; all else goes on, for a recorder too. */
  set muted(on) {
    this.#muted = on;
    this.#applyVolume();
  }

  /** While on, it is quieter by 12 dB: somebody else has begun to speak. */
  set ducked(on) {
    this.#ducked = on;
    this.#applyVolume();
  }

  /** For other sounds that need no click of their own. */
  get context() {
    return this.#sound.context;
  }

  /**
   * Where it sounds, in browsers that let one choose.
   * @param {string} deviceId '' for the system's choice @throws {DOMException} when it is gone
   */
  async useSpeaker(deviceId) {
    this.#speakerId = deviceId;
    await this.#output?.useSpeaker(deviceId);
  }

  /** For meters and drawings of the speech. */
  get analyser() {
    return this.#sound.analyser;
  }

  /** What is played, for a recorder. @returns {MediaStream} */
  get stream() {
    return this.#sound.stream;
  }

  /** How much of this turn has sounded. */
  get playedMs() {
    return this.#clock.playedMs(this.#nowMs);
  }

  /** How much there is to play still. */
  get aheadMs() {
    return this.#clock.aheadMs(this.#nowMs);
  }

  /** Of this turn; an interruption is silence that the browser or the system imposed. */
  get stats() {
    return { ...this.#clock.stats, interruptions: this.#interruptions };
  }

  /** Whether `pause` keeps it silent. */
  get paused() {
    return this.#paused;
  }

  /** Whether the browser wants another click before it lets anything sound. */
  get locked() {
    return this.#output !== null && !this.#paused && !this.#output.running;
  }

  /** Call it in a click. */
  unlock() {
    this.resume();
  }

  /** Plays what is left of the turn before first, or with `interrupt` cuts it. */
  beginTurn({ interrupt = false } = {}) {
    if (interrupt) this.stopAll();
    else this.endTurn();
    clearTimeout(this.#startTimer);
    this.#turn += 1;
    this.#open = true;
    this.#placed = false;
    this.#interruptions = 0;
    this.#clock.beginTurn(this.#nowMs);
  }

  /** @param {Float32Array} samples at 24 kHz */
  push(samples) {
    if (!this.#open || samples.length === 0) return;
    this.#held.push(samples);
    const durationMs = (samples.length / SPEECH_SAMPLE_RATE) * 1000;
    this.#schedule(this.#clock.arrive(this.#sound.nowMs, durationMs));
    this.#releaseLater();
  }

  /** No more will come: what is still held sounds at once. */
  endTurn() {
    if (!this.#open) return;
    this.#open = false;
    this.#release();
    if (this.#output?.empty ?? true) this.emit('idle', {});
  }

  /** Silences and ends the turn. @returns {number} how many milliseconds of it were heard */
  stopAll() {
    const heardMs = this.#clock.cut(this.#nowMs);
    this.#open = false;
    this.#held = [];
    this.#stopTimers();
    if (this.#output !== null && !this.#output.empty) {
      this.#output.cut();
      this.emit('cut', { wallMs: this.#now(), heardMs });
    }
    return heardMs;
  }

  pause() {
    this.#paused = true;
    this.#output?.suspend();
  }

  resume() {
    this.#paused = false;
    this.#sound.resume();
  }

  /**
   * Lets a recorder hear what is played.
   * @param {(piece: {samples: Float32Array, wallMs: number}) => void} callback `wallMs`: when the
   *        piece will sound, on the clock `now`
   * @returns {() => void} ends it
   */
  tap(callback) {
    return this.on('piece', callback);
  }

  close() {
    this.stopAll();
    this.#output?.close();
    this.#output = null;
  }

  /** The output, opened when it is needed first. */
  get #sound() {
    if (this.#output === null) {
      this.#output = new SpeechOutput(this.#Context, () => this.#noticeState());
      this.#applyVolume();
      if (this.#speakerId !== '') {
        const stay = () => {}; // it is gone, so the system's choice sounds
        void this.#output.useSpeaker(this.#speakerId).catch(stay);
      }
    }
    return this.#output;
  }

  get #nowMs() {
    return this.#output?.nowMs ?? 0;
  }

  #applyVolume() {
    if (this.#output === null) return;
    const gain = this.#volume * (this.#ducked ? DUCKED_GAIN : 1);
    this.#output.volume = this.#muted ? 0 : gain;
  }

  #releaseLater() {
    const leftMs = this.#clock.holdLeftMs(this.#nowMs);
    if (leftMs === null || this.#holdTimer !== null) return;
    this.#holdTimer = setTimeout(() => this.#release(), leftMs);
  }

  #release() {
    clearTimeout(this.#holdTimer);
    this.#holdTimer = null;
    this.#schedule(this.#clock.release(this.#nowMs));
  }

  #schedule(pieces) {
    for (const placed of pieces) {
      const samples = this.#held.shift();
      const wallMs = this.#now() + placed.startMs - this.#nowMs;
      if (!this.#placed) this.#announceStart(placed.startMs);
      this.#placed = true;
      this.#output.play(samples, placed, () => this.#ended());
      this.emit('piece', { samples, wallMs });
      if (placed.gapMs > 0) this.#tellOfGap(placed.gapMs);
    }
  }

  #announceStart(startMs) {
    const leftMs = startMs - this.#nowMs;
    if (leftMs <= 0) this.emit('start', { holdMs: this.#clock.stats.holdMs });
    else {
      const poll = () => this.#announceStart(startMs);
      this.#startTimer = setTimeout(poll, Math.max(START_POLL_MS, leftMs));
    }
  }

  #tellOfGap(gapMs) {
    const { gaps, shiftMs } = this.#clock.stats;
    this.emit('gap', { gapIndex: gaps, gapMs, totalShiftMs: shiftMs, turn: this.#turn });
  }

  #ended() {
    if (!this.#open && this.#output.empty) this.emit('idle', {});
  }

  /** The clock stands still with the context, so an interruption moves the plan and is no gap. */
  #noticeState() {
    const { running, empty } = this.#output;
    if (!running && !empty && !this.#paused) this.#interruptions += 1;
  }

  #stopTimers() {
    clearTimeout(this.#holdTimer);
    clearTimeout(this.#startTimer);
    this.#holdTimer = null;
  }
}
