/** What makes calls comfortable for a visitor; the same on every page of calls. */

import { SettingsStore } from './settings.js';

const ECHO_KEY = 'minicpmo_echo';
const FIELDS = [
  { key: 'talk_mode', type: 'choice', default: 'open', options: ['open', 'hold', 'auto'] },
  { key: 'barge_in', type: 'choice', default: 'auto', options: ['auto', 'on', 'off'] },
  { key: 'sensitivity', type: 'choice', default: 'normal', options: ['low', 'normal', 'high'] },
  { key: 'adaptive_delay', type: 'boolean', default: false },
  { key: 'chimes', type: 'boolean', default: true },
  { key: 'chime_volume', type: 'number', default: 60, min: 0, max: 100, step: 1 },
  { key: 'notify', type: 'boolean', default: false },
  { key: 'caption_size', type: 'number', default: 100, min: 80, max: 200, step: 1 },
  { key: 'caption_height', type: 'number', default: 20, min: 5, max: 80, step: 1 },
  { key: 'caption_bottom_opacity', type: 'number', default: 80, min: 0, max: 100, step: 1 },
  { key: 'caption_top_opacity', type: 'number', default: 30, min: 0, max: 100, step: 1 },
  { key: 'caption_contrast', type: 'boolean', default: false },
];

export function openComfortSettings(storage) {
  return new SettingsStore('call_comfort', 1, FIELDS, storage);
}

/** What the check of the set-up has found: whether the microphone hears the loudspeaker. */
export function keepEcho(storage, heard) {
  storage.setText(ECHO_KEY, heard ? 'yes' : 'no');
}

/** Speech that comes back through the microphone would interrupt the model. */
export function mayInterrupt({ barge_in: choice }, storage) {
  return choice === 'on' || (choice === 'auto' && storage.getText(ECHO_KEY) !== 'yes');
}
