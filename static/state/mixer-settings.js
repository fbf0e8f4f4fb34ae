/** How loud file and microphone are to be for the model, next to what was measured of them. */

import { ASSUMED_MICROPHONE_LUFS, QUIETEST_MICROPHONE_LUFS } from '../lib/gain-model.js';
import { SettingsStore } from './settings.js';

const TRIM = { type: 'number', default: 0, min: -12, max: 12, step: 1 };
const FIELDS = [
  { key: 'file_trim_db', ...TRIM },
  { key: 'microphone_trim_db', ...TRIM },
  {
    key: 'microphone_lufs',
    type: 'number',
    default: ASSUMED_MICROPHONE_LUFS,
    min: QUIETEST_MICROPHONE_LUFS,
    max: 0,
  },
];

/** @param {string} name of the page */
export function openMixerSettings(name, storage) {
  return new SettingsStore(`${name}_mixer`, 1, FIELDS, storage);
}
