/** JSON over HTTP, with a time limit and failures that can be told to people. */

import { Failure } from '../lib/failure.js';

const TIMEOUT_MS = 8000;

/**
 * @param {string} url same origin
 * @param {{fetch?: typeof fetch, timeoutMs?: number}} [options]
 */
export async function getJson(url, { fetch = globalThis.fetch, timeoutMs = TIMEOUT_MS } = {}) {
  let response;
  try {
    response = await fetch(url, {
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    throw new Failure(error.name === 'TimeoutError' ? 'timeout' : 'unreachable', { cause: error });
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw httpFailure(response.status, body);
  if (body === null) throw new Failure('bad_answer', { message: `${url}: not JSON` });
  return body;
}

function httpFailure(status, body) {
  const code = body?.code ?? (status >= 500 ? 'not_ready' : 'bad_answer');
  return new Failure(code, { message: body?.error ?? `HTTP ${status}`, field: body?.field ?? '' });
}
