/** What a ReplayPlayer plays: one file, or stretches of sound that are put together when needed. */

import { SAMPLE_RATE } from '../lib/limits.js';
import { unitAt } from '../lib/replay-units.js';
import { wavHeader } from '../lib/wav.js';

const REACH = 10; // units before and after the one that is played

/** @param {string} url of the whole recording */
export function wholeFile(url) {
  return { at: async () => ({ url, startS: 0, endS: null }), release: () => {} };
}

/**
 * @param {object[]} units as in replay-units.js
 * @param {{read: (units: object[]) => Promise<Int16Array[]>}} sound
 */
export function stretches(units, sound) {
  return {
    async at(timeS) {
      const index = unitAt(units, timeS * 1000);
      const near = units.slice(Math.max(0, index - REACH), index + REACH + 1);
      const samples = await sound.read(near);
      const dataBytes = samples.reduce((sum, part) => sum + part.byteLength, 0);
      const header = wavHeader({ channels: 2, sampleRate: SAMPLE_RATE, dataBytes });
      const url = URL.createObjectURL(new Blob([header, ...samples], { type: 'audio/wav' }));
      return { url, startS: near[0].startMs / 1000, endS: near.at(-1).endMs / 1000 };
    },
    release: (segment) => {
      if (segment !== null) URL.revokeObjectURL(segment.url);
    },
  };
}
