/**
 * Turn-based chat over `/ws/chat`: one socket a request.
 *
 * The ChatTransport interface is `send(request, requestId) -> id`, `stop(playedMs)`, and these events,
 * each of which carries the exchange's `id`:
 *   retry   {tries}                                   the connection broke before any answer
 *   queue   {position, estimatedWaitS, queueLength}   waiting for a worker
 *   ready   {}                                        a worker has been found
 *   prefill {inputTokens}                             the question has been read
 *   delta   {text}                                    more of the answer
 *   audio   {samples, sampleRate}                     more of its sound
 *   done    {text, generatedTokens, inputTokens, stopped, warning, recordingSessionId}
 *   error   {failure}
 * After `done` or `error`, and after `stop()` for all but `done`, nothing more comes for that id.
 */

import { base64ToBytes } from '../lib/base64.js';
import { Emitter } from '../lib/emitter.js';
import { Failure } from '../lib/failure.js';
import { MAX_REQUEST_CHARACTERS, SPEECH_SAMPLE_RATE } from '../lib/limits.js';
import { bytesToFloats } from '../lib/pcm.js';
import { openJsonSocket } from './socket.js';

const OPEN_LIMIT_MS = 10_000;
const STOP_GRACE_MS = 1000;
const RETRY_DELAY_MS = 400;
const MAX_TRIES = 3;
const CLOSE_ABNORMAL = 1006;
const CLOSE_TOO_LARGE = 1009;

export class ChatSocketTransport extends Emitter {
  #open;
  #isOnline;
  #exchange = null;
  #lastId = 0;

  /**
   * @param {string} url
   * @param {{open?: typeof openJsonSocket, isOnline?: () => boolean}} [injected]
   */
  constructor(url, { open = openJsonSocket, isOnline = () => navigator.onLine } = {}) {
    super();
    this.url = url;
    this.#open = open;
    this.#isOnline = isOnline;
  }

  /**
   * Ends what is under way and asks anew.
   * @param {object} request
   * @param {string} [requestId] what the service's own notes call it
   * @returns {number} the id of the exchange
   */
  send(request, requestId = '') {
    this.#end();
    this.#lastId += 1;
    const payload = JSON.stringify(request);
    const state = { tries: 0, audioEpoch: 0, started: false, stopping: false };
    const url = requestId === '' ? this.url : `${this.url}?request_id=${requestId}`;
    const exchange = { id: this.#lastId, url, payload, ...state };
    this.#exchange = exchange;
    if (payload.length > MAX_REQUEST_CHARACTERS) {
      queueMicrotask(() => this.#fail(exchange, new Failure('too_large')));
    } else {
      this.#connect(exchange);
    }
    return exchange.id;
  }

  /**
   * Gives up waiting, or asks the server to end the answer and waits a moment for its counts.
   * @param {?number} playedMs how much of its sound was heard, if that was cut
   */
  stop(playedMs = null) {
    const exchange = this.#exchange;
    if (exchange === null || exchange.stopping) return;
    exchange.stopping = true;
    if (!exchange.started) {
      this.#finish(exchange, stoppedByVisitor());
      return;
    }
    if (playedMs !== null) {
      const { audioEpoch: audio_epoch } = exchange;
      this.#tell({ type: 'playback', audio_epoch, played_ms: Math.round(playedMs) });
    }
    this.#tell({ type: 'stop' });
    exchange.timer = setTimeout(() => this.#finish(exchange, stoppedByVisitor()), STOP_GRACE_MS);
  }

  #tell(message) {
    this.#exchange.socket.send(JSON.stringify(message));
  }

  #connect(exchange) {
    exchange.tries += 1;
    exchange.socket = this.#open(exchange.url, {
      onOpen: () => {
        if (exchange !== this.#exchange) return;
        clearTimeout(exchange.timer);
        exchange.socket.send(exchange.payload);
      },
      onMessage: (message) => this.#receive(exchange, message),
      onClose: (event) => this.#closed(exchange, event),
    });
    exchange.timer = setTimeout(() => this.#fail(exchange, new Failure('timeout')), OPEN_LIMIT_MS);
  }

  #receive(exchange, message) {
    if (exchange !== this.#exchange) return;
    exchange.heard = true;
    const { id } = exchange;
    if (message.type === 'done') {
      if (!exchange.stopping) this.#emitSound(exchange, message);
      this.#finish(exchange, doneOf(message, exchange));
    } else if (exchange.stopping) return;
    else if (message.type === 'error') this.#fail(exchange, failureOf(message));
    else if (message.type === 'queued' || message.type === 'queue_update') {
      this.emit('queue', { id, ...placeOf(message) });
    } else if (message.type === 'queue_done') {
      this.emit('ready', { id });
    } else if (message.type === 'prefill_done') {
      exchange.started = true;
      this.emit('prefill', { id, inputTokens: message.input_tokens });
    } else if (message.type === 'chunk') {
      exchange.started = true;
      if (message.text_delta) this.emit('delta', { id, text: message.text_delta });
      this.#emitSound(exchange, message);
    }
  }

  /** Sound of an epoch that has passed was cut before it came. */
  #emitSound(exchange, { audio_data: data, audio_sample_rate: rate, audio_epoch: epoch = 0 }) {
    const isLate = epoch < exchange.audioEpoch;
    exchange.audioEpoch = Math.max(epoch, exchange.audioEpoch);
    if (!data || isLate) return;
    const samples = bytesToFloats(base64ToBytes(data));
    this.emit('audio', { id: exchange.id, samples, sampleRate: rate ?? SPEECH_SAMPLE_RATE });
  }

  #closed(exchange, { code, reason }) {
    if (exchange !== this.#exchange) return;
    if (exchange.stopping) this.#finish(exchange, stoppedByVisitor());
    else if (code === CLOSE_ABNORMAL && !exchange.started && this.#mayRetry(exchange)) {
      this.#retry(exchange);
    } else this.#fail(exchange, this.#closeFailure(exchange, code, reason));
  }

  #retry(exchange) {
    clearTimeout(exchange.timer);
    exchange.timer = setTimeout(() => this.#connect(exchange), RETRY_DELAY_MS * exchange.tries);
    this.emit('retry', { id: exchange.id, tries: exchange.tries });
  }

  #mayRetry(exchange) {
    return exchange.tries < MAX_TRIES && this.#isOnline();
  }

  #closeFailure(exchange, code, reason) {
    if (!this.#isOnline()) return new Failure('offline');
    if (code === CLOSE_TOO_LARGE) return new Failure('too_large', { message: reason });
    return new Failure(exchange.heard ? 'connection_lost' : 'unreachable', { message: reason });
  }

  #finish(exchange, done) {
    if (exchange !== this.#exchange) return;
    this.#end();
    this.emit('done', { id: exchange.id, ...done });
  }

  #fail(exchange, failure) {
    if (exchange !== this.#exchange) return;
    this.#end();
    this.emit('error', { id: exchange.id, failure });
  }

  #end() {
    const exchange = this.#exchange;
    this.#exchange = null;
    clearTimeout(exchange?.timer);
    exchange?.socket?.close();
  }
}

function placeOf({ position, estimated_wait_s: estimatedWaitS, queue_length: queueLength }) {
  return { position, estimatedWaitS, queueLength };
}

function doneOf(message, exchange) {
  return {
    text: message.text,
    generatedTokens: message.generated_tokens,
    inputTokens: message.input_tokens,
    stopped: exchange.stopping || message.stopped === true,
    warning: message.warning ?? null,
    recordingSessionId: message.recording_session_id ?? null,
  };
}

function stoppedByVisitor() {
  return {
    text: null,
    generatedTokens: null,
    inputTokens: null,
    stopped: true,
    warning: null,
    recordingSessionId: null,
  };
}

function failureOf({ code = 'unknown', error = '', field = '' }) {
  return new Failure(code, { message: error, field });
}
