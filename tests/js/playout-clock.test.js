import { describe, expect, it } from 'vitest';

import { PlayoutClock } from '../../static/lib/playout-clock.js';

/** Plays a trace of [arrivalMs, durationMs] as one turn; the hold is released when it is over. */
function play(trace, options, clock = new PlayoutClock(options)) {
  const placed = [];
  clock.beginTurn(trace[0][0]);
  for (const [arrivalMs, durationMs] of trace) {
    const leftMs = clock.holdLeftMs(arrivalMs);
    if (leftMs === 0) placed.push(...clock.release(releaseMs(trace, clock)));
    placed.push(...clock.arrive(arrivalMs, durationMs));
  }
  const lastMs = trace.at(-1)[0];
  placed.push(...clock.release(lastMs));
  return { placed, stats: clock.stats, starts: placed.map(({ startMs }) => startMs), clock };
}

const releaseMs = (trace, clock) => trace[0][0] + clock.holdTargetMs;

/** The same numbers on every run, in [0, 1). */
function seededRandom(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

describe('a turn', () => {
  it('is held, then sounds back to back', () => {
    const trace = [[1000, 300], [1100, 300], [1350, 300], [1600, 300]];
    const { starts, stats } = play(trace, { playbackDelayMs: 200 });
    expect(starts).toEqual([1220, 1520, 1820, 2120]);
    expect(stats).toEqual({ gaps: 0, gapMs: 0, shiftMs: 0, holdMs: 220 });
  });

  it('begins at once with a delay of zero', () => {
    expect(play([[0, 300]], { playbackDelayMs: 0 }).stats.holdMs).toBe(20);
  });

  it('that ends while it is held begins at its end', () => {
    const { starts } = play([[0, 300], [50, 300]], { playbackDelayMs: 2000 });
    expect(starts).toEqual([70, 370]);
  });

  it('is played after the tail of the turn before', () => {
    const first = play([[0, 5000]], { playbackDelayMs: 200 });
    const second = play([[1000, 300]], {}, first.clock);
    expect(second.starts).toEqual([5020]);
    expect(second.placed[0].follows).toBe(true);
    expect(second.stats).toEqual({ gaps: 0, gapMs: 0, shiftMs: 0, holdMs: 4020 });
  });

  it.each([1, 2, 3, 4, 5])('has no gap with a delay of 200 ms and 80 ms of jitter (%i)', (seed) => {
    const random = seededRandom(seed);
    const trace = Array.from({ length: 60 }, (_, index) => [index * 1000 + 80 * random(), 1000]);
    const { stats, placed } = play(trace, { playbackDelayMs: 200 });
    expect(stats).toMatchObject({ gaps: 0, gapMs: 0, shiftMs: 0 });
    expect(placed.slice(1).every(({ follows }) => follows)).toBe(true);
  });
});

describe('a late piece', () => {
  it('leaves a gap, and what follows is collected anew for 40 ms', () => {
    const trace = [[0, 500], [100, 500], [1500, 500], [1900, 500]];
    const { starts, stats, placed } = play(trace, { playbackDelayMs: 200 });
    expect(starts).toEqual([220, 720, 1540, 2040]);
    expect(placed.map(({ gapMs }) => gapMs)).toEqual([0, 0, 320, 0]);
    expect(placed.map(({ follows }) => follows)).toEqual([false, true, false, true]);
    expect(stats).toEqual({ gaps: 1, gapMs: 320, shiftMs: 320, holdMs: 220 });
  });

  it('by at most 10 ms shifts the rest and is no gap', () => {
    const { stats, starts } = play([[0, 500], [530, 500], [1039, 500]], { playbackDelayMs: 0 });
    expect(starts).toEqual([20, 530, 1039]);
    expect(stats).toMatchObject({ gaps: 0, shiftMs: 19 });
  });

  it('is counted each time', () => {
    const trace = Array.from({ length: 5 }, (_, index) => [index * 600, 500]);
    const { stats } = play(trace, { playbackDelayMs: 0 });
    expect(stats).toEqual({ gaps: 4, gapMs: 420, shiftMs: 420, holdMs: 20 });
  });
});

describe('what has been heard', () => {
  const playing = () => play([[0, 500], [100, 500], [1500, 500]], { playbackDelayMs: 200 }).clock;

  it('does not count gaps or what is to come', () => {
    const clock = playing(); // sounds from 220 to 1220 and from 1540 to 2040
    expect([0, 220, 470, 1400, 1640, 9000].map((ms) => clock.playedMs(ms))).toEqual([
      0, 0, 250, 1000, 1100, 1500,
    ]);
    expect([1640, 9000].map((ms) => clock.aheadMs(ms))).toEqual([400, 0]);
  });

  it('is all that is left of a turn that is cut', () => {
    const clock = playing();
    expect(clock.cut(1640)).toBe(1100);
    expect(clock.playedMs(9000)).toBe(1100);
    expect(clock.aheadMs(1640)).toBe(0);
    expect(play([[1700, 300]], {}, clock).starts).toEqual([1720]);
  });

  it('is nothing while the turn is held', () => {
    const clock = new PlayoutClock({ playbackDelayMs: 200 });
    clock.beginTurn(0);
    expect(clock.arrive(0, 500)).toEqual([]);
    expect(clock.holdLeftMs(150)).toBe(50);
    expect(clock.aheadMs(150)).toBe(500);
    expect(clock.cut(150)).toBe(0);
    expect(clock.holdLeftMs(150)).toBe(null);
  });
});

describe('the adaptive delay', () => {
  const pieces = (n) => Array.from({ length: n }, (_, index) => [index * 600, 500]);
  const targetAfter = (trace, clock) => {
    play(trace, {}, clock);
    clock.beginTurn(trace.at(-1)[0]);
    return clock.holdTargetMs;
  };

  it('stays as it is unless it is asked for', () => {
    expect(targetAfter(pieces(4), new PlayoutClock({ playbackDelayMs: 0 }))).toBe(0);
  });

  it('grows by 40 ms a gap up to 600 ms, from the next turn on', () => {
    const clock = new PlayoutClock({ playbackDelayMs: 0, adaptive: true });
    expect(targetAfter(pieces(4), clock)).toBe(120);
    expect(targetAfter(pieces(40), clock)).toBe(600);
  });

  it('shrinks by 20 ms for 20 quiet seconds, never below what was set', () => {
    const clock = new PlayoutClock({ playbackDelayMs: 100, adaptive: true });
    const lastGapMs = 1800;
    expect(targetAfter(pieces(4), clock)).toBe(180);
    clock.beginTurn(lastGapMs + 41_000);
    expect(clock.holdTargetMs).toBe(140);
    clock.beginTurn(lastGapMs + 500_000);
    expect(clock.holdTargetMs).toBe(100);
  });

  it('is what was set again once it is not asked for any more', () => {
    const clock = new PlayoutClock({ playbackDelayMs: 100, adaptive: true });
    expect(targetAfter(pieces(4), clock)).toBe(180);
    clock.adaptive = false;
    clock.beginTurn(2000);
    expect(clock.holdTargetMs).toBe(100);
  });

  it('never shortens a delay that was set above its limit', () => {
    const clock = new PlayoutClock({ playbackDelayMs: 900, adaptive: true });
    expect(targetAfter(pieces(4), clock)).toBe(900);
  });
});
