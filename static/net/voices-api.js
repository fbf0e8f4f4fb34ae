/** The voices that lie on the server. */

import { getJson } from './http.js';

const DEFAULT_URL = '/api/default_ref_audio';
const STORED_URL = '/api/assets/ref_audio';
const SOUND_TIMEOUT_MS = 30_000;

/** @returns {Promise<{id: string, name: string, durationS: number}[]>} without their sound */
export async function listVoices(options) {
  const { ref_audios: voices } = await getJson(STORED_URL, options);
  return voices.map(({ id, name, duration_ms: ms }) => ({ id, name, durationS: ms / 1000 }));
}

/** @param {?string} id null for the service's own @returns {Promise<object>} {data, name, durationS} */
export async function loadVoice(id, options) {
  const url = id === null ? DEFAULT_URL : `${STORED_URL}/${encodeURIComponent(id)}/audio`;
  const voice = await getJson(url, { timeoutMs: SOUND_TIMEOUT_MS, ...options });
  return { data: voice.base64, name: voice.name, durationS: voice.duration };
}

/** Asks without taking the sound. @returns {Promise<boolean>} */
export async function hasDefaultVoice({ fetch = globalThis.fetch } = {}) {
  const response = await fetch(DEFAULT_URL);
  await response.body?.cancel();
  return response.ok;
}
