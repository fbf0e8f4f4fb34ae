/** What the dashboard asks of the service, and what it tells it to do. */

import { bytesToBase64 } from '../lib/base64.js';
import { getJson, sendJson } from './http.js';

const UPLOAD_TIMEOUT_MS = 60_000;
const VOICES_URL = '/api/assets/ref_audio';

export const signOut = () => sendJson('POST', '/api/logout');

export async function loadWorkers() {
  return (await getJson('/workers')).workers;
}

/** Gives a worker nothing new; what it does goes on. */
export const drainWorker = (id) => sendJson('POST', drainUrl(id));

/** Gives a drained worker work again. */
export const resumeWorker = (id) => sendJson('DELETE', drainUrl(id));

const drainUrl = (id) => `/api/workers/${encodeURIComponent(id)}/drain`;

export const loadQueue = () => getJson('/api/queue');
export const cancelTicket = (id) => sendJson('DELETE', `/api/queue/${encodeURIComponent(id)}`);

/** What goes on, and the conversations that workers keep. */
export async function loadLiveSessions() {
  return (await getJson('/sessions')).sessions;
}

export const endSession = (id) => sendJson('DELETE', `/sessions/${encodeURIComponent(id)}`);

export async function loadAllApps() {
  return (await getJson('/api/admin/apps')).apps;
}

export const switchApp = (id, enabled) =>
  sendJson('PUT', `/api/admin/apps/${encodeURIComponent(id)}`, { enabled });

export const loadEstimates = () => getJson('/api/config/eta');

/** @param {Record<string, number>} changes others keep their values */
export const saveEstimates = (changes) => sendJson('PUT', '/api/config/eta', changes);

export async function loadVoices() {
  return (await getJson(VOICES_URL)).ref_audios;
}

/** @param {Uint8Array} bytes a sound file @returns {Promise<{warning?: string}>} */
export const uploadVoice = (name, bytes) =>
  sendJson(
    'POST',
    VOICES_URL,
    { name, audio_base64: bytesToBase64(bytes) },
    { timeoutMs: UPLOAD_TIMEOUT_MS },
  );

export const deleteVoice = (id) => sendJson('DELETE', `${VOICES_URL}/${encodeURIComponent(id)}`);

/** @returns {Promise<Record<string, object[]>>} presets by mode */
export const loadPresets = (language) => getJson(`/api/presets?lang=${language}`);

export const loadStorage = () => getJson('/api/admin/storage');

/**
 * @param {{page: number, pageSize: number, type: string, date: string}} asked '' is any
 * @returns {Promise<{total: number, page: number, sessions: object[]}>}
 */
export function loadRecordings({ page, pageSize, type, date }) {
  const query = new URLSearchParams({ page, page_size: pageSize });
  if (type) query.set('type', type);
  if (date) query.set('date', date);
  return getJson(`/api/sessions?${query}`);
}

export const deleteRecording = (id) =>
  sendJson('DELETE', `/api/sessions/${encodeURIComponent(id)}`);

/** @returns {Promise<{process: string, processes: string[], lines: string[]}>} */
export const loadLog = (process, lines) =>
  getJson(`/api/admin/logs?${new URLSearchParams({ process, lines })}`);
