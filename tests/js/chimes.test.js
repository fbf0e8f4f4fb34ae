import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Chimes } from '../../static/audio/chimes.js';
import { chimeScore } from '../../static/lib/chime-score.js';

const pitches = (name) => chimeScore(name).notes.map(({ frequencyHz }) => frequencyHz);
const starts = (name) => chimeScore(name).notes.map(({ points }) => points[0][0]);
const peaks = (name) =>
  chimeScore(name).notes.map(({ points }) => Math.max(...points.map(([, gain]) => gain)));

describe('the sounds of a call', () => {
  it('ring for whoever is next: high, low, dying away', () => {
    const { notes } = chimeScore('next');
    expect(notes).toEqual([
      { frequencyHz: 880, endS: 0.2, points: [[0, 0.18, 'set'], [0.2, 0.001, 'exponential']] },
      { frequencyHz: 660, endS: 0.7, points: [[0.5, 0.18, 'set'], [0.7, 0.001, 'exponential']] },
    ]);
  });

  it('call the one whose turn it is: a chord upwards, twice, each note with its octave', () => {
    const chord = [523.25, 659.25, 783.99, 1046.5];
    expect(pitches('turn')).toEqual([...chord, ...chord].flatMap((pitch) => [pitch, 2 * pitch]));
    const begun = starts('turn').filter((_, index) => index % 2 === 0);
    const expected = [0, 0.086, 0.172, 0.258, 0.464, 0.55, 0.636, 0.722];
    begun.forEach((startS, index) => expect(startS).toBeCloseTo(expected[index], 6));
    expect(peaks('turn').slice(0, 2)).toEqual([0.85, 0.85 * 0.22]);
    const [, attack, , letGo, end] = chimeScore('turn').notes[0].points;
    expect(attack).toEqual([0.015, 0.85, 'linear']);
    expect(letGo[0]).toBeCloseTo(0.086, 6);
    expect(end[0]).toBeCloseTo(0.086 + 0.155, 6);
  });

  it('open the call with two notes that overlap, each falling to its level', () => {
    expect(pitches('begin')).toEqual([1046.5, 1318.51]);
    expect(starts('begin')[1]).toBeCloseTo(0.178 - 0.04, 6);
    const [, peak, sustained, letGo] = chimeScore('begin').notes[0].points;
    expect(peak).toEqual([0.009, 0.9, 'linear']);
    expect(sustained[0]).toBeCloseTo(0.03, 6);
    expect(sustained[1]).toBeCloseTo(0.9 * 0.21, 6);
    expect(letGo[0]).toBeCloseTo(0.178, 6);
    expect(chimeScore('begin').lengthS).toBeCloseTo(0.138 + 0.178 + 0.044, 6);
  });

  it.each(['next', 'turn', 'begin', 'end', 'error'])('%s is in order and ends in silence', (name) => {
    for (const { points, endS } of chimeScore(name).notes) {
      const times = points.map(([timeS]) => timeS);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(points.at(-1)[0]).toBe(endS);
      expect(points.at(-1)[1]).toBeLessThanOrEqual(0.001);
    }
  });
});

describe('playing them', () => {
  let context;
  let hushed;
  let chimes;

  const param = () => ({
    value: 0,
    setValueAtTime: vi.fn(),
    linearRampToValueAtTime: vi.fn(),
    exponentialRampToValueAtTime: vi.fn(),
  });
  const node = (more) => ({ connect: (target) => target, ...more });

  beforeEach(() => {
    vi.useFakeTimers();
    context = {
      currentTime: 10,
      destination: node(),
      oscillators: [],
      volumes: [],
      createDynamicsCompressor: () => {
        const names = ['threshold', 'knee', 'ratio', 'attack', 'release'];
        context.compressor = node(Object.fromEntries(names.map((name) => [name, param()])));
        return context.compressor;
      },
      createGain: () => {
        context.volumes.push(node({ gain: param() }));
        return context.volumes.at(-1);
      },
      createOscillator: () => {
        context.oscillators.push(node({ frequency: param(), start: vi.fn(), stop: vi.fn() }));
        return context.oscillators.at(-1);
      },
    };
    hushed = false;
    chimes = new Chimes(() => context, () => hushed);
  });

  afterEach(() => vi.useRealTimers());

  const startTimes = () => context.oscillators.map(({ start }) => start.mock.calls[0][0]);

  it('goes through a compressor, at the volume that was chosen', () => {
    chimes.volume = 0.5;
    expect(chimes.play('begin')).toBeCloseTo(360, 3);
    const { threshold, knee, ratio, attack, release } = context.compressor;
    expect([threshold, knee, ratio, attack, release].map(({ value }) => value)).toEqual([
      -20, 12, 4, 0.003, 0.1,
    ]);
    expect(context.volumes[0].gain.value).toBe(0.5);
    chimes.volume = 0.25;
    expect(context.volumes[0].gain.value).toBe(0.25);
    expect(startTimes()[0]).toBe(10);
  });

  it('waits for the sound before it', () => {
    const turnMs = chimes.play('turn');
    const bothMs = chimes.play('begin');
    expect(bothMs).toBeCloseTo(turnMs + 360, 3);
  });

  it.each([
    ['switched off', () => (chimes.volume = 0)],
    ['while a voice is recorded', () => (hushed = true)],
  ])('does not happen %s', (_, make) => {
    make();
    expect(chimes.play('turn')).toBe(0);
    expect(context.oscillators).toEqual([]);
  });

  it('repeats every two seconds for whoever is next, until it is their turn', () => {
    chimes.repeatNext();
    chimes.repeatNext();
    expect(context.oscillators).toHaveLength(2);
    context.currentTime += 4;
    vi.advanceTimersByTime(4000);
    expect(context.oscillators).toHaveLength(6);
    chimes.rest();
    vi.advanceTimersByTime(10_000);
    expect(context.oscillators).toHaveLength(6);
  });
});
