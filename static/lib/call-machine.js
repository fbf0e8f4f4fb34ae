/**
 * What every call has in common, from the click on Start to its end: a single state, a single table
 * of transitions, the queue, and the voice of the model. Everything it touches is handed in:
 * connection, media, player, clock.
 *
 * Kinds of calls extend it: session-machine.js, in which both sides may speak at any time, and
 * half-duplex-machine.js, which goes in turns. They may read `call`, `player` and `clock`, use what
 * is documented for them, and say what is special about them in the methods at the end.
 *
 * Events:
 *   state    {state, previous}       see session-states.js
 *   queue    {position, estimatedWaitS, queueLength}
 *   retry    {}                      the connection broke before the call; it is opened again soon
 *   prepared                         as the connection says it
 *   turnStart, turnText, turnEnd, cut, userText     see speech-turns.js
 *   stall, slow, context             see call-watch.js
 *   warning  {failure}               something went wrong; the call goes on
 *   note     {text}                  the service has something to say about a call that goes on
 *   end      {reason, failure}       reason: 'stopped' | 'cancelled' | 'server_stopped' | 'failed',
 *                                    or one of a kind of call
 */

import { CallWatch } from './call-watch.js';
import { Emitter } from './emitter.js';
import { asFailure, Failure } from './failure.js';
import { checkTransition, isBusy, isRunning, isStarting } from './session-states.js';
import { SpeechTurns } from './speech-turns.js';

const CONNECT_LIMIT_MS = 10_000;
const PREPARE_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 1000;
const RETRY_DELAYS_MS = [1000, 2000, 4000];

const SYSTEM_CLOCK = {
  now: () => performance.now(),
  setTimeout: (action, delayMs) => setTimeout(action, delayMs),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class CallMachine extends Emitter {
  state = 'idle';
  call = null; // what belongs to one call; see #newCall
  #connect;

  /** @param {{connect: () => object, player: object, clock?: object}} parts */
  constructor({ connect, player, clock = SYSTEM_CLOCK }) {
    super();
    this.#connect = connect;
    [this.player, this.clock] = [player, clock];
    player.on('gap', (gap) => this.#reportGap(gap));
  }

  /** Time of the call, without what was spent paused. */
  get elapsedMs() {
    const { liveMs, frozenMs } = this.call ?? { liveMs: null };
    return liveMs === null ? 0 : (frozenMs ?? this.clock.now()) - liveMs;
  }

  /** Whether the model says something that has not been heard to its end. */
  get speaking() {
    return this.call?.speech.speaking ?? false;
  }

  /** What has gone over the line in this call, and what waits there. */
  get traffic() {
    const { counts = {}, connection = null } = this.call ?? {};
    const { sessionId = null, bufferedBytes = 0 } = connection ?? {};
    return { ...counts, sessionId, backlogBytes: bufferedBytes };
  }

  /**
   * Call it inside a click: sound is unlocked before anything is awaited.
   *
   * `media` has open(), start(), close() and the events `chunk`, `ended` and `warning` {failure};
   * `prepare` is what the connection says first; the model hears nothing before `prelude` is over.
   * @param {{media: object, prepare: object, prelude?: () => Promise<void>}} options and what the
   *   kind of call adds
   */
  async start(options) {
    if (isBusy(this.state)) return;
    this.player.unlock();
    if (this.state !== 'idle') this.enter('idle');
    const call = this.#newCall(options);
    this.enter('opening');
    try {
      await call.media.open();
    } catch (error) {
      if (call === this.call) this.end('failed', asFailure(error));
      return;
    }
    if (call === this.call && this.state === 'opening') this.#openConnection();
    else call.media.close(); // given up while the browser was asking
  }

  /** Gives up waiting, or ends the call. */
  stop() {
    if (isStarting(this.state)) this.end('cancelled');
    else if (isRunning(this.state)) this.stopRunning('stopped');
  }

  // -- for kinds of calls -------------------------------------------------------------------------

  enter(state) {
    checkTransition(this.state, state);
    this.clock.clearTimeout(this.call?.timer);
    const previous = this.state;
    this.state = state;
    this.emit('state', { state, previous });
  }

  /** One timer at a time; leaving the state ends it. */
  after(delayMs, action) {
    this.clock.clearTimeout(this.call.timer);
    this.call.timer = this.clock.setTimeout(action, delayMs);
  }

  /** Something went wrong in a call that goes on. */
  warn(failure) {
    this.call.failure = failure; // the cause, should the connection close now
    this.emit('warning', { failure });
  }

  /** Ends a running call in agreement with the service. */
  stopRunning(reason) {
    const { call } = this;
    call.endReason = reason;
    this.enter('stopping');
    call.watch.rest();
    call.speech.interrupt();
    this.#releaseMedia();
    const elapsed_s = Math.round(this.elapsedMs / 1000);
    call.connection.diagnose({ event: 'session_summary', reason, elapsed_s, ...call.counts });
    call.connection.stop();
    this.after(STOP_LIMIT_MS, () => this.end(reason));
  }

  end(reason, failure = null) {
    const { call } = this;
    const wasLive = call.liveMs !== null;
    call.speech.interrupt();
    call.watch.rest();
    call.frozenMs ??= this.clock.now();
    this.#releaseMedia();
    const { connection } = call;
    call.connection = null;
    connection?.close();
    if (reason === 'cancelled') this.enter('idle');
    else this.enter(wasLive ? 'ended' : 'failed');
    this.emit('end', { reason, failure });
  }

  // -- what kinds of calls say ---------------------------------------------------------------------

  /** @returns {object} what more belongs to a call that begins */
  opening() {
    return {};
  }

  /** @returns {Record<string, (event: object) => void>} what to do with messages of its own */
  handlers() {
    return {};
  }

  /** The model hears from now on. */
  begun() {}

  /** A message of the service has been taken care of. */
  heard() {}

  /** More sound of the visitor, in a call that is live. */
  sendChunk() {}

  /** There is no more sound to come. */
  mediaEnded() {}

  /** The service could not do something that a running call asked for. */
  refused(failure) {
    this.warn(failure);
  }

  /** A time limit of the service is past. */
  timedOut(failure) {
    if (this.state !== 'stopping') this.end('failed', failure);
  }

  /** @returns {object} what went before a gap in the speech, for the operator */
  gapDetails() {
    return {};
  }

  // -- the way of a call -----------------------------------------------------------------------------

  #newCall(options) {
    const call = {
      media: options.media, prepare: options.prepare, prelude: options.prelude,
      speech: new SpeechTurns(this.player), watch: new CallWatch(this.clock),
      connection: null, timer: null, tries: 0,
      liveMs: null, frozenMs: null, failure: null, endReason: null, ...this.opening(options),
    };
    call.counts = { chunks: 0, gaps: 0, ...call.counts };
    this.call = call;
    this.#passOn(call.speech, ['turnStart', 'turnText', 'turnEnd', 'userText']);
    this.#passOn(call.watch, ['stall', 'slow', 'context']);
    call.speech.on('cut', ({ audioEpoch, playedMs, aheadMs }) => {
      call.connection?.reportPlayback({ audioEpoch, playedMs });
      this.emit('cut', { playedMs, aheadMs });
    });
    call.unlisten = [
      call.media.on('chunk', (chunk) => {
        if (this.state === 'live') this.sendChunk(chunk);
      }),
      call.media.on('warning', (event) => this.emit('warning', event)),
      call.media.on('ended', () => this.mediaEnded()),
    ];
    return call;
  }

  #passOn(part, names) {
    for (const name of names) part.on(name, (event) => this.emit(name, event));
  }

  #openConnection() {
    const { call } = this;
    if (this.state !== 'connecting') this.enter('connecting');
    call.tries += 1;
    call.connection = this.#connect();
    this.after(CONNECT_LIMIT_MS, () => this.end('failed', new Failure('timeout')));
    const handlers = {
      queue: (place) => this.#wait(place),
      assigned: () => this.#prepare(),
      prepared: (event) => this.#goLive(event),
      stopped: () => this.end(call.endReason ?? 'server_stopped'),
      timeout: ({ failure }) => this.timedOut(failure),
      error: ({ failure }) => this.#serverError(failure),
      close: ({ failure }) => this.#closed(failure),
      ...this.handlers(),
    };
    const { connection } = call;
    for (const [name, handle] of Object.entries(handlers)) {
      connection.on(name, (event) => {
        if (connection !== this.call.connection) return;
        handle(event);
        if (connection === this.call.connection) this.heard();
      });
    }
  }

  #wait(place) {
    if (this.state === 'connecting') this.enter('queued');
    if (this.state === 'queued') this.emit('queue', place);
  }

  #prepare() {
    if (!['connecting', 'queued'].includes(this.state)) return;
    this.enter('assigned');
    this.enter('preparing');
    this.call.connection.prepare(this.call.prepare);
    this.after(PREPARE_LIMIT_MS, () => this.end('failed', new Failure('timeout')));
  }

  async #goLive(event) {
    const { call } = this;
    if (this.state !== 'preparing') return;
    this.emit('prepared', event);
    try {
      if (call.prelude !== undefined) await call.prelude();
      if (call !== this.call || this.state !== 'preparing') return;
      await call.media.start();
    } catch (error) {
      if (call === this.call) this.end('failed', asFailure(error));
      return;
    }
    if (call !== this.call || this.state !== 'preparing') return;
    call.liveMs = this.clock.now();
    this.enter('live');
    this.begun(event);
  }

  #serverError(failure) {
    if (isStarting(this.state)) this.end('failed', failure);
    else if (isRunning(this.state)) this.refused(failure);
  }

  #closed(failure) {
    const { call } = this;
    const retryMs = RETRY_DELAYS_MS[call.tries - 1];
    if (this.state === 'stopping') this.end(call.endReason);
    else if (['connecting', 'queued'].includes(this.state) && retryMs !== undefined) {
      if (this.state === 'queued') this.enter('connecting');
      this.emit('retry', {});
      this.after(retryMs, () => this.#openConnection());
    } else this.end('failed', call.failure ?? failure);
  }

  #releaseMedia() {
    for (const unlisten of this.call.unlisten.splice(0)) unlisten();
    this.call.media.close();
  }

  #reportGap(gap) {
    if (!isRunning(this.state)) return;
    this.call.counts.gaps += 1;
    this.call.connection.diagnose({ event: 'gap', ...gap, ...this.gapDetails() });
  }
}
