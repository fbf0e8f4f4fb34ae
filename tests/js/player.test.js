import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Player } from '../../static/audio/player.js';
import { FakeAudioContext, soundOf } from './fake-audio.js';

let player;
let events;

beforeEach(() => {
  vi.useFakeTimers();
  FakeAudioContext.opened = [];
  player = new Player({ playbackDelayMs: 200, Context: FakeAudioContext });
  events = [];
  for (const name of ['start', 'gap', 'idle', 'cut']) {
    player.on(name, (payload) => events.push([name, payload]));
  }
  player.unlock();
});

afterEach(() => vi.useRealTimers());

const context = () => FakeAudioContext.opened.at(-1);
const names = () => events.map(([name]) => name);
const starts = () => context().sources.map(({ startS }) => Math.round(startS * 1000));

function pass(durationMs) {
  for (let ms = 0; ms < durationMs; ms += 10) {
    context().pass(10);
    vi.advanceTimersByTime(10);
  }
}

function speak(...durationsMs) {
  player.beginTurn();
  for (const durationMs of durationsMs) player.push(soundOf(durationMs));
}

describe('a spoken turn', () => {
  it('is held for the delay, then sounds back to back at 24 kHz', () => {
    speak(500);
    pass(100);
    player.push(soundOf(300));
    expect(starts()).toEqual([]);
    pass(100);
    player.push(soundOf(300));
    expect(context().sampleRate).toBe(24_000);
    expect(starts()).toEqual([220, 720, 1020]);
    expect(context().sources[0].buffer.samples).toEqual(soundOf(500));
    const holdMs = expect.closeTo(220, 6);
    expect(player.stats).toEqual({ gaps: 0, gapMs: 0, shiftMs: 0, holdMs, interruptions: 0 });
  });

  it('tells of its first sound, and of its last when it has ended', () => {
    speak(500);
    pass(210);
    expect(names()).toEqual([]);
    pass(20);
    expect(events).toEqual([['start', { holdMs: expect.closeTo(220, 6) }]]);
    pass(600);
    player.push(soundOf(100));
    pass(300);
    expect(names()).toEqual(['start', 'gap']);
    player.push(soundOf(100));
    player.endTurn();
    pass(300);
    expect(names()).toEqual(['start', 'gap', 'gap', 'idle']);
    expect(player.playedMs).toBeCloseTo(700);
  });

  it('that ends early sounds at once', () => {
    speak(500);
    player.endTurn();
    expect(starts()).toEqual([20]);
    pass(530);
    expect(names()).toEqual(['start', 'idle']);
  });

  it('without any sound is over when it ends', () => {
    speak();
    player.endTurn();
    player.endTurn();
    expect(names()).toEqual(['idle']);
  });

  it('follows the tail of the turn before, and counts for itself', () => {
    speak(1000);
    pass(600);
    speak(500);
    pass(300);
    expect(starts()).toEqual([220, 1220]);
    expect(player.playedMs).toBe(0);
    pass(420);
    expect(player.playedMs).toBeCloseTo(100);
    expect(player.aheadMs).toBeCloseTo(400);
  });

  it('can cut off the turn before', () => {
    speak(1000);
    pass(600);
    player.beginTurn({ interrupt: true });
    expect(names()).toEqual(['start', 'cut']);
    player.push(soundOf(500));
    player.endTurn();
    expect(starts()).toEqual([220, 620]);
  });
});

describe('a late piece', () => {
  it('is told as a gap, with soft edges around the hole', () => {
    speak(500);
    pass(1000);
    player.push(soundOf(500));
    const gap = { gapIndex: 1, gapMs: expect.closeTo(320, 6), turn: 1 };
    expect(events.at(-1)).toEqual(['gap', { ...gap, totalShiftMs: gap.gapMs }]);
    expect(starts()).toEqual([220, 1040]);
    const edges = context().gains[0].gain.events.map(([kind, value, timeS]) => [
      kind, value, Math.round(timeS * 1000),
    ]);
    expect(edges).toEqual([
      ['set', 0, 220], ['ramp', 1, 225], ['set', 1, 715], ['ramp', 0, 720],
      ['set', 0, 1040], ['ramp', 1, 1045], ['set', 1, 1535], ['ramp', 0, 1540],
    ]);
  });

  it('leaves no edges when it still comes in time', () => {
    speak(500);
    pass(600);
    player.push(soundOf(500));
    const edges = context().gains[0].gain.events.map(([, , timeS]) => Math.round(timeS * 1000));
    expect(edges).toEqual([220, 225, 1215, 1220]);
  });
});

describe('stopping', () => {
  it('fades out within 15 ms and says how much was heard', () => {
    speak(500, 500);
    pass(620);
    expect(player.stopAll()).toBeCloseTo(400);
    const { gain } = context().gains[0];
    expect(gain.events.at(-1)).toEqual(['ramp', 0, expect.closeTo(0.635, 6)]);
    expect(context().sources.map(({ stopS }) => stopS)).toEqual([
      expect.closeTo(0.635, 6), expect.closeTo(0.635, 6),
    ]);
    const heardMs = expect.closeTo(400, 6);
    expect(events.at(-1)).toEqual(['cut', { wallMs: performance.now(), heardMs }]);
    pass(1000);
    expect(player.playedMs).toBeCloseTo(400);
    expect(names()).toEqual(['start', 'cut']);
  });

  it('drops what is held, and what comes late', () => {
    speak(500);
    pass(100);
    expect(player.stopAll()).toBe(0);
    player.push(soundOf(500));
    pass(1000);
    expect(starts()).toEqual([]);
    expect(names()).toEqual([]);
  });

  it('before anything was opened is nothing', () => {
    expect(new Player({ playbackDelayMs: 0, Context: FakeAudioContext }).stopAll()).toBe(0);
  });
});

describe('a context that stands still', () => {
  it('moves the plan, and counts one interruption and no gap', () => {
    speak(1000);
    pass(600);
    context().change('interrupted');
    pass(5000);
    player.push(soundOf(500));
    expect(player.locked).toBe(true);
    player.unlock();
    pass(300);
    expect(starts()).toEqual([220, 1220]);
    expect(player.stats).toMatchObject({ gaps: 0, interruptions: 1 });
    expect(player.playedMs).toBeCloseTo(680);
  });

  it('because it is paused is no interruption', () => {
    speak(1000);
    pass(600);
    player.pause();
    pass(5000);
    expect(player.playedMs).toBeCloseTo(380);
    expect(player.locked).toBe(false);
    player.resume();
    pass(1000);
    player.endTurn();
    expect(player.stats).toMatchObject({ gaps: 0, interruptions: 0 });
    expect(names()).toEqual(['start', 'idle']);
  });
});

describe('around it', () => {
  it('a tap hears every piece with the wall time at which it sounds', () => {
    const pieces = [];
    const end = player.tap(({ samples, wallMs }) => pieces.push([samples.length, wallMs]));
    const beganMs = performance.now();
    speak(500);
    pass(200);
    player.push(soundOf(300));
    expect(pieces).toEqual([
      [12_000, expect.closeTo(beganMs + 220, 6)],
      [7200, expect.closeTo(beganMs + 720, 6)],
    ]);
    end();
    player.push(soundOf(300));
    expect(pieces).toHaveLength(2);
  });

  it('nobody hears it while it is muted, but recorders do', () => {
    const pieces = [];
    player.tap(({ samples }) => pieces.push(samples));
    player.volume = 0.5;
    player.muted = true;
    speak(500);
    pass(300);
    expect(context().gains[1].gain.value).toBe(0);
    expect(pieces).toEqual([soundOf(500)]);
    expect(player.aheadMs).toBeGreaterThan(0);
    player.muted = false;
    expect(context().gains[1].gain.value).toBe(0.5);
  });

  it('the volume is kept for a context that opens later', () => {
    const later = new Player({ playbackDelayMs: 0, Context: FakeAudioContext });
    later.volume = 0.25;
    expect(later.analyser.connect).toBeTypeOf('function');
    expect(context().gains[1].gain.value).toBe(0.25);
    later.volume = 0;
    expect(context().gains[1].gain.value).toBe(0);
  });

  it('closing ends all of it', () => {
    speak(500);
    player.close();
    expect(context().state).toBe('closed');
    pass(1000);
    expect(names()).toEqual([]);
  });
});
