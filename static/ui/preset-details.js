/** One preset: its name, and on demand what it says to the model. */

import { element } from './dom.js';

/** @param {object} preset of `GET /api/presets` */
export function presetDetails(preset) {
  const { name, description, system_prompt: prompt, ref_audio: voice } = preset;
  const title = element('summary', {}, element('b', { text: name }));
  if (description) title.append(` – ${description}`);
  const parts = (preset.system_content ?? []).map(contentPart);
  if (prompt) parts.unshift(textPart(prompt));
  if (voice) parts.push(voicePart(voice));
  const heading = element('p', { class: 'help', i18n: 'admin.preset_prompt' });
  return element('details', { class: 'preset' }, title, heading, ...parts);
}

function contentPart(item) {
  return item.type === 'text' ? textPart(item.text) : voicePart(item);
}

function textPart(text) {
  return element('p', { class: 'preset-text', text });
}

function voicePart({ name, duration }) {
  const i18n = duration === null ? 'admin.preset_voice_missing' : 'admin.preset_voice';
  return element('p', { class: 'preset-text', i18n, params: { name, seconds: duration ?? 0 } });
}
