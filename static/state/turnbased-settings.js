/** The settings of the turn-based page. */

import { MAX_NEW_TOKENS } from '../lib/limits.js';
import { SettingsStore } from './settings.js';

const FIELDS = [
  { key: 'streaming', type: 'boolean', default: true },
  { key: 'speak', type: 'boolean', default: false },
  { key: 'max_new_tokens', type: 'number', default: 1024, min: 1, max: MAX_NEW_TOKENS, step: 1 },
  { key: 'length_penalty', type: 'number', default: 1.1, min: 0.1, max: 5, step: 0.05 },
  { key: 'detailed_images', type: 'boolean', default: false },
];

export function openTurnbasedSettings(storage) {
  return new SettingsStore('turnbased_settings', 1, FIELDS, storage);
}
