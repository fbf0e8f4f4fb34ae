import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CountdownTimer } from '../../static/lib/countdown-timer.js';

let renders;
let timer;

beforeEach(() => {
  vi.useFakeTimers();
  renders = [];
  timer = new CountdownTimer((state) => renders.push(state));
});

afterEach(() => {
  timer.stop();
  vi.useRealTimers();
});

function pass(seconds) {
  vi.advanceTimersByTime(seconds * 1000);
}

/** Each step is [seconds to wait, update arguments or null, what remains after both]. */
function play(steps) {
  const seen = steps.map(([wait, update]) => {
    pass(wait);
    if (update !== null) timer.update(...update);
    return timer.remaining;
  });
  expect(seen).toEqual(steps.map(([, , remaining]) => remaining));
}

function expectNeverRising(values) {
  for (let index = 1; index < values.length; index += 1) {
    expect(values[index]).toBeLessThanOrEqual(values[index - 1]);
  }
}

describe('counting', () => {
  it('takes the first estimate, starts, and renders it once', () => {
    timer.update(10, 1, 3);
    expect(timer.active).toBe(true);
    expect(timer).toMatchObject({ remaining: 10, position: 1, queueLength: 3 });
    expect(renders).toEqual([{ remaining: 10, position: 1, queueLength: 3 }]);
  });

  it('loses one each second', () => {
    play([[0, [5, 1, 1], 5], [3, null, 2]]);
    expect(renders).toHaveLength(4);
  });

  it('goes on evenly after an estimate that agrees with it', () => {
    play([[0, [15, 1, 2], 15], [5, null, 10], [0, [10, 1, 2], 10], [3, null, 7]]);
  });

  it('takes a new estimate together with a new place', () => {
    play([[0, [20, 3, 5], 20], [3, [15, 2, 4], 15]]);
    expect(timer).toMatchObject({ position: 2, queueLength: 4 });
  });

  it('freezes when stopped', () => {
    play([[0, [10, 1, 1], 10], [2, null, 8]]);
    timer.stop();
    expect(timer.active).toBe(false);
    play([[5, null, 8]]);
    expect(renders).toHaveLength(3);
  });

  it('keeps one interval over several updates', () => {
    play([[0, [10, 1, 3], 10], [0, [20, 2, 4], 20], [0, [30, 3, 5], 30], [1, null, 29]]);
  });

  it('counts past zero into overtime', () => {
    play([[0, [3, 1, 1], 3], [5, null, -2]]);
  });

  it('ignores a higher estimate for the same place, down into overtime', () => {
    play([[0, [10, 1, 1], 10], [5, [7, 1, 1], 5], [5, null, 0], [3, null, -3]]);
  });

  it('follows a shrinking queue', () => {
    play([
      [0, [25, 2, 3], 25],
      [3, null, 22],
      [0, [18, 1, 2], 18],
      [3, null, 15],
      [0, [12, 1, 1], 12],
    ]);
  });
});

describe('stopping and rendering', () => {
  it('may be stopped again and again', () => {
    timer.update(10, 1, 1);
    timer.stop();
    expect(() => timer.stop()).not.toThrow();
    expect(timer.active).toBe(false);
  });

  it('may be stopped before it ever ran', () => {
    expect(() => timer.stop()).not.toThrow();
    expect(timer.active).toBe(false);
  });

  it('starts again with a later update', () => {
    play([[0, [10, 1, 1], 10], [3, null, 7]]);
    timer.stop();
    timer.update(20, 2, 5);
    expect(timer.active).toBe(true);
    play([[0, null, 20], [2, null, 18]]);
  });

  it('renders exactly once an update and once a tick', () => {
    timer.update(3, 1, 2);
    pass(2);
    expect(renders).toEqual([3, 2, 1].map((remaining) => ({ remaining, position: 1, queueLength: 2 })));
  });

  it('rounds estimates to whole seconds', () => {
    play([[0, [10.7, 1, 1], 11], [0, [10.3, 1, 1], 10]]);
  });

  it('passes on that place and length are unknown', () => {
    timer.update(15, null, null);
    expect(renders.at(-1)).toEqual({ remaining: 15, position: null, queueLength: null });
    play([[2, null, 13]]);
  });
});

describe('a worker that finishes early', () => {
  it('causes no jump while polls agree, and freezes at 7 when our turn comes', () => {
    play([[0, [15, 1, 1], 15], [3, [12, 1, 1], 12], [3, [9, 1, 1], 9], [2, null, 7]]);
    timer.stop();
    play([[10, null, 7]]);
  });

  it('freezes at 13 when our turn comes after two seconds', () => {
    play([[0, [15, 1, 1], 15], [2, null, 13]]);
    timer.stop();
    play([[10, null, 13]]);
  });
});

describe('a worker that is late', () => {
  it('ignores the floor the server falls back to', () => {
    play([
      [0, [15, 1, 1], 15],
      [15, null, 0],
      [5, null, -5],
      [0, [15, 1, 1], -5],
      [10, null, -15],
    ]);
  });

  it.each([5, 30])('shows how late: by %i s', (lateness) => {
    play([[0, [10, 1, 1], 10], [10, null, 0], [lateness, [15, 1, 1], -lateness]]);
  });
});

describe('polls every few seconds', () => {
  it('agrees with each of them until our turn', () => {
    play([[0, [15, 1, 1], 15], [3, [12, 1, 1], 12], [3, [9, 1, 1], 9], [3, [6, 1, 1], 6], [3, null, 3]]);
  });

  it('moves up one place on the way', () => {
    play([
      [0, [25, 2, 2], 25],
      [3, [22, 2, 2], 22],
      [3, [19, 2, 2], 19],
      [2, null, 17],
      [0, [15, 1, 1], 15],
      [3, [12, 1, 1], 12],
      [3, [9, 1, 1], 9],
      [3, [6, 1, 1], 6],
      [3, null, 3],
    ]);
  });

  it('works without a place', () => {
    play([[0, [12, null, null], 12], [3, [9, null, null], 9], [3, [6, null, null], 6], [1, null, 5]]);
  });

  it('may step up when the place has changed', () => {
    play([
      [0, [30, 3, 3], 30],
      [8, null, 22],
      [0, [15, 2, 2], 15],
      [6, null, 9],
      [0, [10, 1, 1], 10],
      [6, null, 4],
    ]);
  });

  it('goes into overtime after a change of place and ignores the floor there', () => {
    play([[0, [30, 2, 2], 30], [5, [15, 1, 1], 15], [18, null, -3], [0, [15, 1, 1], -3], [2, null, -5]]);
  });

  it('skips places', () => {
    play([
      [0, [35, 5, 5], 35],
      [3, [32, 5, 5], 32],
      [3, [29, 5, 5], 29],
      [4, null, 25],
      [0, [12, 2, 2], 12],
      [3, [9, 2, 2], 9],
      [0, [10, 1, 1], 10],
      [3, [7, 1, 1], 7],
      [3, [4, 1, 1], 4],
      [4, null, 0],
    ]);
  });
});

describe('never jumps up', () => {
  it('while the place stays the same', () => {
    play([[0, [10, 1, 1], 10], [4, [12, 1, 1], 6], [1, [9, 1, 1], 5]]);
  });

  it('when it has reached zero and the server says 15', () => {
    play([[0, [5, 1, 1], 5], [5, [15, 1, 1], 0], [3, [15, 1, 1], -3], [3, [15, 1, 1], -6]]);
  });

  it('although every poll is one second too high', () => {
    timer.update(20, 1, 1);
    for (let elapsed = 3; elapsed <= 18; elapsed += 3) {
      pass(3);
      timer.update(20 - elapsed + 1, 1, 1);
    }
    expectNeverRising(renders.map((state) => state.remaining));
    expect(timer.remaining).toBe(2);
  });

  it('from overtime', () => {
    play([[0, [2, 1, 1], 2], [4, null, -2], [0, [1, 1, 1], -2], [1, null, -3]]);
  });

  it('except that a new place may end overtime', () => {
    play([[0, [3, 2, 2], 3], [6, null, -3], [0, [14, 1, 1], 14]]);
  });

  it('again after such a step', () => {
    play([[0, [20, 2, 2], 20], [5, null, 15], [0, [14, 1, 1], 14]]);
    const start = renders.length;
    play([[2, null, 12], [0, [14, 1, 1], 12], [3, null, 9]]);
    expectNeverRising(renders.slice(start).map((state) => state.remaining));
  });
});

describe('a tab that was hidden', () => {
  it('catches up with the clock when it is shown again', () => {
    timer.update(20, 1, 1);
    vi.setSystemTime(Date.now() + 8000); // time passes, the interval does not fire
    timer.resync();
    expect(timer.remaining).toBe(12);
  });
});
