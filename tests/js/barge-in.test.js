import { beforeEach, describe, expect, it } from 'vitest';

import { BargeIn } from '../../static/lib/barge-in.js';
import { TalkGate } from '../../static/lib/talk-gate.js';

const FRAME_MS = 20;
const LISTEN = { isListen: true, skipped: false };
const SPEAK = { isListen: false, skipped: false };

let nowMs;
let events; // [name, when]
let bargeIn;

function begin(sensitivity) {
  nowMs = 0;
  events = [];
  bargeIn = new BargeIn(sensitivity);
  for (const name of ['interrupt', 'release']) bargeIn.on(name, () => events.push([name, nowMs]));
  bargeIn.on('duck', ({ on }) => events.push([on ? 'duck' : 'loud again', nowMs]));
  hear(1000, 'noise', false);
}

beforeEach(() => begin());

/** Lets virtual time pass while this is heard. */
function hear(durationMs, what, modelSpeaks) {
  const level = { noise: 0.001, soft: 0.0032, voice: 0.1 }[what];
  for (let passedMs = 0; passedMs < durationMs; passedMs += FRAME_MS) {
    nowMs += FRAME_MS;
    bargeIn.push(new Float32Array(320).fill(level), nowMs, modelSpeaks);
  }
}

const names = () => events.map(([name]) => name);
const timeOf = (name) => events.find(([event]) => event === name)?.[1];

describe('speaking into the words of the model', () => {
  it('makes it quieter at once and silences it after 300 ms', () => {
    hear(200, 'noise', true);
    const startMs = nowMs;
    hear(600, 'voice', true);
    expect(names()).toEqual(['duck', 'interrupt', 'loud again']);
    expect(timeOf('duck') - startMs).toBeLessThanOrEqual(140);
    expect(timeOf('interrupt') - startMs).toBe(300);
  });

  it('changes nothing for a short sound but the loudness, and that not for long', () => {
    hear(200, 'noise', true);
    hear(200, 'voice', true);
    hear(1000, 'noise', true);
    expect(names()).toEqual(['duck', 'loud again']);
  });

  it('goes on over the pauses between syllables', () => {
    hear(200, 'noise', true);
    const startMs = nowMs;
    for (let syllable = 0; syllable < 4; syllable += 1) {
      hear(140, 'voice', true);
      hear(100, 'noise', true);
    }
    expect(timeOf('interrupt') - startMs).toBeLessThanOrEqual(400);
  });

  it('counts from when both speak, where the visitor began before the model', () => {
    hear(2000, 'voice', false);
    expect(events).toEqual([]);
    const startMs = nowMs;
    hear(600, 'voice', true);
    expect(timeOf('interrupt') - startMs).toBeGreaterThanOrEqual(300);
  });

  it('is nothing where only the visitor speaks, or only the model', () => {
    hear(3000, 'voice', false);
    hear(1000, 'noise', false);
    hear(3000, 'noise', true);
    expect(events).toEqual([]);
  });

  it.each([['low', false], ['normal', false], ['high', true]])(
    'with %s sensitivity hears a soft voice: %s',
    (sensitivity, interrupts) => {
      begin(sensitivity);
      hear(1000, 'soft', true);
      expect(names().includes('interrupt')).toBe(interrupts);
    },
  );

  it('takes the loudness back when the visitor is not heard any more', () => {
    hear(160, 'voice', true);
    bargeIn.rest();
    expect(names()).toEqual(['duck', 'loud again']);
  });
});

describe('after an interruption', () => {
  beforeEach(() => {
    hear(600, 'voice', true);
    events = [];
  });

  it('the model listens for the first result that says so and one more', () => {
    bargeIn.result(SPEAK); // was under way
    bargeIn.result(LISTEN);
    expect(bargeIn.yielding).toBe(true);
    bargeIn.result({ isListen: true, skipped: true }); // stands for no unit
    expect(events).toEqual([]);
    bargeIn.result(LISTEN);
    expect(names()).toEqual(['release']);
    expect(bargeIn.yielding).toBe(false);
  });

  it('a second one is not counted before the model may speak again', () => {
    hear(2000, 'voice', true);
    expect(events).toEqual([]);
    bargeIn.result(LISTEN);
    bargeIn.result(LISTEN);
    hear(1000, 'noise', false);
    hear(600, 'voice', true);
    expect(names()).toEqual(['release', 'duck', 'interrupt', 'loud again']);
  });

  it('of a call without units, nothing is waited for', () => {
    bargeIn.release();
    expect(bargeIn.yielding).toBe(false);
    bargeIn.result(LISTEN);
    expect(events).toEqual([]);
  });
});

describe('the way of the voice to the model', () => {
  let gate;
  let changes;

  beforeEach(() => {
    gate = new TalkGate();
    changes = [];
    gate.on('change', ({ open }) => changes.push(open));
  });

  it('is open unless asked otherwise', () => {
    gate.speaking = false;
    expect(gate.open).toBe(true);
    expect(changes).toEqual([]);
  });

  it('is open while held', () => {
    gate.mode = 'hold';
    gate.speaking = true;
    gate.held = true;
    gate.held = false;
    expect(changes).toEqual([false, true, false]);
  });

  it('is open while somebody speaks, or holds nevertheless', () => {
    gate.mode = 'auto';
    gate.speaking = true;
    gate.held = true;
    gate.speaking = false;
    expect(gate.open).toBe(true);
    gate.held = false;
    expect(changes).toEqual([false, true, false]);
  });
});
