/** Recorded sessions: reading one, and adding to it. */

import { Failure } from '../lib/failure.js';
import { getJson, sendJson } from './http.js';

const RECORDING_TIMEOUT_MS = 60_000; // hours of a call take a while to be put together

const sessionUrl = (id) => `/api/sessions/${encodeURIComponent(id)}`;

/** Where people look at a recording. */
export const replayPath = (id) => `/s/${encodeURIComponent(id)}`;

export const downloadUrl = (id) => `${sessionUrl(id)}/download`;

/** @param {string} path of a file of the recording */
export function assetUrl(id, path) {
  return `${sessionUrl(id)}/assets/${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** @returns {Promise<object>} `meta.json`, and as `frontend_replay` what was uploaded, if anything */
export const loadSession = (id) => getJson(sessionUrl(id));

/** @returns {Promise<object>} `recording.json` */
export const loadRecording = (id) =>
  getJson(`${sessionUrl(id)}/recording`, { timeoutMs: RECORDING_TIMEOUT_MS });

/** @returns {Promise<string>} '' when there is none */
export async function loadComment(id) {
  return (await getJson(`${sessionUrl(id)}/comment`)).comment;
}

export const saveComment = (id, comment) => sendJson('POST', `${sessionUrl(id)}/comment`, { comment });

/**
 * Adds what the page has recorded itself.
 * @param {Blob} recording video/webm, video/mp4, audio/webm or audio/wav
 * @param {{onProgress: (share: number) => void, signal: AbortSignal,
 *          open?: () => XMLHttpRequest}} options `onProgress` is told from 0 to 1
 * @returns {Promise<void>} @throws {Failure}
 */
export function uploadRecording(id, recording, { onProgress, signal, open = () => new XMLHttpRequest() }) {
  const { promise, resolve, reject } = withResolvers();
  const request = open();
  const form = new FormData();
  form.append('file', recording, 'recording');
  request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(loaded / total));
  request.addEventListener('error', () => reject(new Failure('connection_lost')));
  request.addEventListener('abort', () => reject(new Failure('cancelled')));
  request.addEventListener('load', () => {
    if (request.status < 300) resolve();
    else reject(failureOf(request));
  });
  signal.addEventListener('abort', () => request.abort());
  request.open('POST', `${sessionUrl(id)}/upload-recording`);
  request.send(form);
  return promise;
}

function failureOf({ status, responseText }) {
  const body = parsed(responseText);
  return new Failure(body?.code ?? 'bad_answer', { message: body?.error ?? `HTTP ${status}` });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
