/**
 * The socket of a call: JSON messages on one side, events and methods on the other. One connection
 * is one try; what it means is decided in lib/call-machine.js.
 *
 * Events of every kind of call:
 *   queue    {position, estimatedWaitS, queueLength}
 *   assigned {}                          a model has been found; prepare() may follow
 *   stopped {}, error {failure}, close {failure}
 */

import { bytesToBase64 } from '../lib/base64.js';
import { Emitter } from '../lib/emitter.js';
import { Failure } from '../lib/failure.js';
import { newId } from '../lib/ids.js';
import { floatsToBytes } from '../lib/pcm.js';
import { openJsonSocket } from './socket.js';

const OPEN = 1; // WebSocket.OPEN

/** Takes 'omni', 'adx' or 'hdx', by which the service tells the modes apart. */
export const newSessionId = newId;

export class CallConnection extends Emitter {
  #socket;
  #events;
  #isOnline;
  #heard = false;

  /**
   * @param {string} url
   * @param {Record<string, (message: object) => [string, object]>} events of this kind of call:
   *   message type -> event and its payload; types that are not listed come from a newer service
   * @param {{open?: typeof openJsonSocket, isOnline?: () => boolean}} [injected]
   */
  constructor(url, events, { open = openJsonSocket, isOnline = () => navigator.onLine } = {}) {
    super();
    this.#events = { ...EVENTS, ...events };
    this.#isOnline = isOnline;
    this.sessionId = url.split('/').at(-1);
    this.#socket = open(url, {
      onOpen: () => {},
      onMessage: (message) => this.#receive(message),
      onClose: ({ reason }) => this.emit('close', { failure: this.#closeFailure(reason) }),
    });
  }

  /** What waits in the browser to be sent. */
  get bufferedBytes() {
    return this.#socket.bufferedAmount;
  }

  /** Asks for the end of the call. */
  stop() {
    this.send({ type: 'stop' });
  }

  /** Speech of this epoch was cut after so much of it had been heard. */
  reportPlayback({ audioEpoch, playedMs }) {
    this.send({ type: 'playback', audio_epoch: audioEpoch, played_ms: playedMs });
  }

  /** For the operator; the model never sees it. */
  diagnose(event) {
    this.send({ type: 'client_diagnostic', ts: Date.now() / 1000, ...event });
  }

  close() {
    this.#socket.close();
  }

  /** Nothing is sent once the connection has gone. */
  send(message) {
    if (this.#socket.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    this.#heard = true;
    const event = this.#events[message.type]?.(message);
    if (event !== undefined) this.emit(...event);
  }

  #closeFailure(reason) {
    if (!this.#isOnline()) return new Failure('offline');
    return new Failure(this.#heard ? 'connection_lost' : 'unreachable', { message: reason });
  }
}

const EVENTS = {
  queued: (message) => ['queue', placeOf(message)],
  queue_update: (message) => ['queue', placeOf(message)],
  queue_done: () => ['assigned', {}],
  stopped: () => ['stopped', {}],
  error: ({ code = 'unknown', error = '', field = '' }) => [
    'error',
    { failure: new Failure(code, { message: error, field }) },
  ],
};

function placeOf({ position, estimated_wait_s: estimatedWaitS, queue_length: queueLength }) {
  return { position, estimatedWaitS, queueLength };
}

/** @param {Float32Array} samples @returns {string} as sound goes over the wire */
export function encodeSamples(samples) {
  return bytesToBase64(floatsToBytes(samples));
}
