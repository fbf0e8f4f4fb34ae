/** What the service offers and how it is doing. */

import { getJson } from './http.js';

/** @returns {Promise<{app_id: string, name: string, route: string}[]>} */
export async function loadApps(options) {
  const { apps } = await getJson('/api/apps', options);
  return apps;
}

/**
 * @returns {Promise<{playback_delay_ms: number, recording: boolean, default_lang?: string,
 *   session_retention_days: number, examples?: Record<string, string[]>}>} recordings are deleted
 *   after so many days, -1 is never; examples are what to say, by app
 */
export function loadFrontendDefaults(options) {
  return getJson('/api/frontend_defaults', options);
}

/** @returns {Promise<object>} worker counts, queue length, running tasks, `model_name` */
export function loadStatus(options) {
  return getJson('/status', options);
}
