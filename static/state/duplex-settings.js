/** The settings of the two full-duplex pages. */

import { SettingsStore } from './settings.js';

const MAX_CONTEXT_TOKENS = 8192;

/**
 * @param {{name: string, lengthPenalty: number, hasVideo: boolean}} page
 * @param {number} playbackDelayMs the server's default
 */
export function openDuplexSettings({ name, lengthPenalty, hasVideo }, playbackDelayMs, storage) {
  const fields = [
    { key: 'system_prompt', type: 'text', default: 'Streaming Omni Conversation.', maxLength: 8000 },
    { key: 'length_penalty', type: 'number', default: lengthPenalty, min: 0.1, max: 5, step: 0.05 },
    { key: 'playback_delay_ms', type: 'number', default: playbackDelayMs, min: 0, max: 2000, step: 1 },
    {
      key: 'context_limit',
      type: 'number',
      default: MAX_CONTEXT_TOKENS,
      min: 512,
      max: MAX_CONTEXT_TOKENS,
      step: 1,
    },
    { key: 'volume', type: 'number', default: 100, min: 0, max: 100, step: 1 },
    { key: 'file_volume', type: 'number', default: hasVideo ? 30 : 50, min: 0, max: 100, step: 1 },
    { key: 'file_head_s', type: 'number', default: 0, min: 0, max: 30, step: 1 },
    { key: 'file_tail_s', type: 'number', default: 2, min: 0, max: 30, step: 1 },
    { key: 'captions', type: 'boolean', default: true },
  ];
  if (hasVideo) {
    fields.push({ key: 'frame_offset', type: 'number', default: 0.5, min: 0, max: 1, step: 0.05 });
    fields.push({ key: 'hd', type: 'boolean', default: false });
    fields.push({ key: 'mirror', type: 'boolean', default: false });
  }
  return new SettingsStore(`${name}_settings`, 1, fields, storage);
}
