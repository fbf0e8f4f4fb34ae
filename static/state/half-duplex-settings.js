/** The settings of the half-duplex page. */

import { SettingsStore } from './settings.js';

/** @param {number} playbackDelayMs the server's default */
export function openHalfDuplexSettings(playbackDelayMs, storage) {
  const fields = [
    { key: 'spoken', type: 'boolean', default: true },
    { key: 'threshold', type: 'number', default: 0.8, min: 0.1, max: 0.95, step: 0.05 },
    { key: 'min_silence_ms', type: 'number', default: 800, min: 100, max: 3000, step: 1 },
    { key: 'max_new_tokens', type: 'number', default: 256, min: 32, max: 2048, step: 1 },
    { key: 'length_penalty', type: 'number', default: 1.1, min: 0.5, max: 2, step: 0.05 },
    { key: 'temperature', type: 'number', default: 0.7, min: 0.1, max: 2, step: 0.05 },
    { key: 'limit_s', type: 'number', default: 300, min: 30, max: 600, step: 1 },
    { key: 'playback_delay_ms', type: 'number', default: playbackDelayMs, min: 0, max: 2000, step: 1 },
    { key: 'volume', type: 'number', default: 100, min: 0, max: 100, step: 1 },
    { key: 'captions', type: 'boolean', default: true },
  ];
  return new SettingsStore('half_duplex_settings', 1, fields, storage);
}
