/** What a visitor wants of recordings that are made on the page. */

import { SettingsStore } from './settings.js';

const FIELDS = [
  { key: 'on', type: 'boolean', default: true },
  { key: 'mime', type: 'text', default: '', maxLength: 80 }, // '' for the best
  { key: 'megabits', type: 'choice', default: 2, options: [1, 2, 4, 8] },
  { key: 'captions', type: 'boolean', default: true },
  { key: 'area_percent', type: 'number', default: 25, min: 5, max: 80, step: 5 },
  { key: 'bottom_percent', type: 'number', default: 90, min: 0, max: 100, step: 5 },
  { key: 'top_percent', type: 'number', default: 15, min: 0, max: 100, step: 5 },
];

/** @param {string} name of the page */
export function openRecordingSettings(name, storage) {
  return new SettingsStore(`${name}_rec_settings`, 1, FIELDS, storage);
}
