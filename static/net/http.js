/** JSON over HTTP, with a time limit and failures that can be told to people. */

import { Emitter } from '../lib/emitter.js';
import { Failure } from '../lib/failure.js';

const TIMEOUT_MS = 8000;
const UNAUTHORIZED = 401;
const CODES = { 401: 'unauthorized', 403: 'unauthorized' }; // of a proxy that says no more

/** Event: `refused`, when the service answers that it wants a key. */
export const access = new Emitter();

/**
 * @param {string} url same origin
 * @param {{fetch?: typeof fetch, timeoutMs?: number}} [options]
 */
export async function getJson(url, options) {
  const body = await request(url, {}, options);
  if (body === null) throw new Failure('bad_answer', { message: `${url}: not JSON` });
  return body;
}

/**
 * @param {'POST' | 'PUT' | 'DELETE'} method @param {string} url same origin
 * @param {object} [content] goes as JSON
 * @returns {Promise<?object>} null for an answer without content
 */
export function sendJson(method, url, content, options) {
  if (content === undefined) return request(url, { method }, options);
  const headers = { 'content-type': 'application/json' };
  return request(url, { method, headers, body: JSON.stringify(content) }, options);
}

async function request(
  url,
  { headers, ...init },
  { fetch = globalThis.fetch, timeoutMs = TIMEOUT_MS } = {},
) {
  let response;
  try {
    response = await fetch(url, {
      ...init,
      headers: { accept: 'application/json', ...headers },
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new Failure(error.name === 'TimeoutError' ? 'timeout' : 'unreachable', { cause: error });
  }
  const body = await response.json().catch(() => null);
  if (response.status === UNAUTHORIZED) access.emit('refused', {});
  if (!response.ok) throw httpFailure(response.status, body);
  return body;
}

function httpFailure(status, body) {
  const code = body?.code ?? CODES[status] ?? (status >= 500 ? 'not_ready' : 'bad_answer');
  return new Failure(code, { message: body?.error ?? `HTTP ${status}`, field: body?.field ?? '' });
}
