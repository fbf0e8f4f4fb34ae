/** The presets that the service offers; lists come without sound. */

import { getJson } from './http.js';

const SOUND_TIMEOUT_MS = 30_000;

/**
 * @param {string} mode @param {string} language
 * @returns {Promise<object[]>} as lib/preset-file.js, with ids; voices lack their `data`
 */
export async function loadPresets(mode, language, options) {
  const presets = await getJson(`/api/presets?lang=${language}`, options);
  return (presets[mode] ?? []).map((preset) => ({
    ...preset,
    mode,
    ref_audio: preset.ref_audio ? voiceOf(preset.ref_audio) : null,
    system_content: preset.system_content?.map((item) =>
      item.type === 'audio' ? { type: 'audio', ...voiceOf(item) } : item,
    ),
  }));
}

/** @returns {Promise<object[]>} the voices of a preset in their order, whose `data` may be null */
export async function loadPresetVoices(mode, id, language, options) {
  const url = `/api/presets/${mode}/${encodeURIComponent(id)}/audio?lang=${language}`;
  const { ref_audio: voice, system_content_audio: voices } = await getJson(url, {
    timeoutMs: SOUND_TIMEOUT_MS,
    ...options,
  });
  return (voice ? [voice] : voices).map(voiceOf);
}

function voiceOf({ data, name, duration }) {
  return { data, name, durationS: duration ?? 0 };
}
