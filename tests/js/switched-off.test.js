// @vitest-environment happy-dom
import { expect, it } from 'vitest';

import { takeSwitchedOff } from '../../static/state/switched-off.js';

it('which mode is switched off is told once', () => {
  document.cookie = 'other=1; path=/';
  expect(takeSwitchedOff(document)).toBe(null);
  document.cookie = 'switched_off=audio_duplex; path=/';
  expect(takeSwitchedOff(document)).toBe('audio_duplex');
  expect(takeSwitchedOff(document)).toBe(null);
});
