/**
 * A full-duplex call: every chunk of the visitor's sound is answered by one result, with speech of
 * the model or without.
 *
 * Events beside those of call-machine.js:
 *   chunk    {samples, endMs}        what goes to the model now, and when it ended
 *   result   {result, roundTripMs}   one unit, after its turn has been taken care of
 *   paused   {timeoutS}              how long the service keeps a paused call
 *
 * Reasons to end: 'media_ended' | 'context_full' | 'pause_expired', and those of every call.
 */

import { CallMachine } from './call-machine.js';
import { isRunning } from './session-states.js';

const DRAIN_POLL_MS = 100;
const DRAINED_MS = 50;
const RECENT_RECORDS = 5;

export class SessionMachine extends CallMachine {
  #forceListen = false;

  /** @param {object} parts as in call-machine.js; the media also has pause() and resume() */
  constructor(parts) {
    super(parts);
    this.player.on('idle', () => this.#stopWhenSilent());
  }

  get forceListen() {
    return this.#forceListen;
  }

  /** While on, the model listens; turning it on also silences it at once. */
  set forceListen(on) {
    if (on === this.#forceListen) return;
    this.#forceListen = on;
    if (!on || !isRunning(this.state)) return;
    this.call.forceNext = true; // on and off between two chunks is still told
    this.call.speech.forceListen();
  }

  pause() {
    if (this.state !== 'live') return;
    const { call } = this;
    this.enter('pausing');
    call.watch.rest();
    call.frozenMs = this.clock.now();
    call.pauseConfirmed = false;
    call.media.pause();
    call.connection.pause();
    this.#awaitPause();
  }

  resume() {
    if (this.state !== 'paused') return;
    this.player.unlock();
    this.call.connection.resume();
  }

  /**
   * The context limit, in tokens, counts only where the service has none itself.
   * @param {{contextLimit?: number, maxSliceNums?: () => ?number}} options of start()
   */
  opening({ contextLimit = Infinity, maxSliceNums = () => null }) {
    return {
      contextLimit, maxSliceNums, windowOff: false, pauseConfirmed: false,
      lastChunk: Infinity, answered: 0, forceNext: this.#forceListen, sentMs: [], recent: [],
      counts: { dropped_frames: 0 },
    };
  }

  handlers() {
    return {
      result: (result) => this.#receive(result),
      paused: ({ timeoutS }) => {
        this.call.pauseConfirmed = true;
        this.emit('paused', { timeoutS });
      },
      resumed: () => this.#goOn(),
    };
  }

  begun({ window }) {
    this.call.windowOff = window?.mode === 'off';
    this.call.watch.heard();
  }

  heard() {
    if (this.state === 'live') this.call.watch.heard();
  }

  sendChunk({ samples, frame, endMs }) {
    const { call } = this;
    this.emit('chunk', { samples, endMs });
    const slow = call.watch.backlog(call.connection.bufferedBytes);
    if (slow && frame) call.counts.dropped_frames += 1;
    call.counts.chunks += 1;
    call.sentMs.push(this.clock.now());
    call.connection.sendChunk({
      samples,
      frame: slow ? null : frame,
      forceListen: this.#forceListen || call.forceNext,
      maxSliceNums: call.maxSliceNums(),
    });
    call.forceNext = false;
  }

  mediaEnded() {
    this.call.lastChunk = this.call.counts.chunks;
    this.#stopWhenSilent();
  }

  /** Stands for the result of a chunk. */
  refused(failure) {
    this.call.sentMs.shift();
    this.call.answered += 1;
    if (this.state === 'live' || !isAboutPausing(failure)) this.warn(failure);
  }

  timedOut(failure) {
    if (['pausing', 'paused'].includes(this.state)) this.end('pause_expired');
    else super.timedOut(failure);
  }

  gapDetails() {
    return { recent: this.call.recent };
  }

  #receive(result) {
    const { call } = this;
    const nowMs = this.clock.now();
    const roundTripMs = nowMs - (call.sentMs.shift() ?? nowMs);
    call.answered += 1;
    if (!isRunning(this.state)) return;
    call.speech.handle(result);
    if (result.warning) this.emit('note', { text: result.warning });
    const { isListen, wallClockMs, kvCacheLength } = result;
    call.recent = [...call.recent, { isListen, wallClockMs, kvCacheLength, roundTripMs }];
    call.recent = call.recent.slice(-RECENT_RECORDS);
    this.emit('result', { result, roundTripMs });
    if (call.windowOff && kvCacheLength !== null) this.#watchContext(kvCacheLength);
    this.#stopWhenSilent();
  }

  /** The service lets the context run full, so the call has to end before. */
  #watchContext(length) {
    const { watch, contextLimit } = this.call;
    if (length >= contextLimit) this.stopRunning('context_full');
    else watch.context(length / contextLimit);
  }

  /** The input is over, but what the model says to it is heard to its end. */
  #stopWhenSilent() {
    if (this.state !== 'live' || this.speaking) return;
    const { answered, lastChunk } = this.call;
    if (answered >= lastChunk) this.stopRunning('media_ended');
  }

  /** Paused is what the service has confirmed, once all that was said has been heard. */
  #awaitPause() {
    const drained = this.player.aheadMs < DRAINED_MS;
    if (this.call.pauseConfirmed && drained) this.enter('paused');
    else this.after(DRAIN_POLL_MS, () => this.#awaitPause());
  }

  #goOn() {
    const { call } = this;
    if (this.state !== 'paused') return;
    call.liveMs += this.clock.now() - call.frozenMs;
    call.frozenMs = null;
    call.sentMs = [];
    call.media.resume();
    this.enter('live');
  }
}

/** Chunks that were under way when the call was paused are refused one by one. */
function isAboutPausing({ detail }) {
  return /paused/i.test(detail);
}
