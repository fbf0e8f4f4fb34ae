/** Stand-ins for what a call is made of. */

import { vi } from 'vitest';

import { Emitter } from '../../static/lib/emitter.js';

/** One second of speech, of which a test says how much has not been played. */
export const SECOND_OF_SPEECH = new Float32Array(24_000);

export class FakePlayer extends Emitter {
  aheadMs = 0;
  unlock = vi.fn();
  beginTurn = vi.fn();
  push = vi.fn();
  endTurn = vi.fn();
  stopAll = vi.fn(() => {
    const playedMs = 1000 - this.aheadMs;
    this.aheadMs = 0;
    return playedMs;
  });
}

export class FakeMedia extends Emitter {
  open = vi.fn(async () => {});
  start = vi.fn();
  pause = vi.fn();
  resume = vi.fn();
  close = vi.fn();
}

export class FakeConnection extends Emitter {
  bufferedBytes = 0;
  sent = [];
  sendChunk = (chunk) => void this.sent.push(chunk);
  prepare = vi.fn();
  pause = vi.fn();
  resume = vi.fn();
  stop = vi.fn();
  reportPlayback = vi.fn();
  diagnose = vi.fn();
  close = vi.fn();
}

const RESULT = {
  isListen: true,
  text: '',
  samples: null,
  endOfTurn: false,
  audioEpoch: 0,
  interrupted: false,
  skipped: false,
  reason: null,
  wallClockMs: 400,
  costAllMs: 380,
  kvCacheLength: 100,
  visionSlices: 0,
  visionTokens: 0,
  serverSendMs: null,
};

export const listen = (more = {}) => ({ ...RESULT, ...more });

export const spoken = (text, more = {}) => ({
  ...RESULT,
  isListen: false,
  text,
  samples: SECOND_OF_SPEECH,
  ...more,
});
