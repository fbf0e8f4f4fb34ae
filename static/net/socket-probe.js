/** Whether sockets get through to the service, and how long the way there and back takes. */

import { Failure } from '../lib/failure.js';

const LIMIT_MS = 4000;

/**
 * Opens a socket and closes it without a word, so that nobody's place is taken.
 * @param {string} url @param {typeof WebSocket} [Socket]
 * @returns {Promise<number>} milliseconds until it was open @throws {Failure}
 */
export function measureSocket(url, Socket = globalThis.WebSocket) {
  const startMs = performance.now();
  const socket = new Socket(url);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Failure('timeout'))), LIMIT_MS);
    const finish = (settle) => {
      clearTimeout(timer);
      [socket.onopen, socket.onclose] = [null, null];
      socket.close();
      settle();
    };
    socket.onopen = () => finish(() => resolve(performance.now() - startMs));
    socket.onclose = () => finish(() => reject(new Failure('unreachable')));
  });
}
