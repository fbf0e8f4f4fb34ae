// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { stretches } from '../../static/audio/segments.js';
import { ReplayPlayer } from '../../static/audio/replay-player.js';
import { BoundedMap } from '../../static/lib/bounded-map.js';
import { PeakStore, PEAKS_PER_UNIT } from '../../static/lib/peak-store.js';
import { linesOf } from '../../static/lib/recorded-lines.js';
import { costsOf, costSummary, frameAt, unitAt, unitsOf } from '../../static/lib/replay-units.js';
import { mixUnit, peaksOf } from '../../static/lib/stereo.js';
import { TimeWindow } from '../../static/lib/time-window.js';
import { wavHeader } from '../../static/lib/wav.js';
import { readWavHeader, readWavSamples } from '../../static/lib/wav-reader.js';
import { findDuration } from '../../static/ui/uploaded-recording.js';

const listen = (index, fields = {}) => ({
  index,
  user_audio: `user_audio/${index}.wav`,
  result: { mode: 'LISTEN', timing: {} },
  ...fields,
});
const speak = (index, text, result = {}) => ({
  index,
  user_audio: `user_audio/${index}.wav`,
  result: {
    mode: 'SPEAK',
    timing: {},
    text,
    ai_audio: `ai_audio/${index}.wav`,
    ai_audio_duration_ms: 1000,
    ...result,
  },
});
const waiting = (index, durationMs) => ({
  index,
  user_audio: `user_audio/${index}.wav`,
  user_audio_duration_ms: durationMs,
  result: { mode: 'LISTEN', skipped: 'buffering', timing: {} },
});
const call = (...chunks) => ({ mode: 'duplex', chunks });
const bounds = (units) => units.map(({ startMs, endMs }) => [startMs, endMs]);

describe('units', () => {
  it('lie back to back, a second each', () => {
    expect(bounds(unitsOf(call(listen(0), speak(1, 'Hello'))))).toEqual([[0, 1000], [1000, 2000]]);
  });

  it('are longer where the answer is', () => {
    const units = unitsOf(call(speak(0, 'Hello', { ai_audio_duration_ms: 1500 }), listen(1)));
    expect(bounds(units)).toEqual([[0, 1500], [1500, 2500]]);
  });

  it('hold the pieces that the model heard together', () => {
    const last = listen(2, { user_audio_duration_ms: 500 });
    const units = unitsOf(call(waiting(0, 400), waiting(1, 300), last, listen(3)));
    expect(bounds(units)).toEqual([[0, 1200], [1200, 2200]]);
    expect(units[0].userSounds).toHaveLength(3);
  });

  it('count what was heard of speech that was cut off', () => {
    const [unit] = unitsOf(call(speak(0, 'Hello', { ai_audio_duration_ms: 1500, heard_ms: 300 })));
    expect(unit).toMatchObject({ isCut: true, endsTurn: true, aiMs: 300, endMs: 1000, text: 'Hello' });
    const [unheard] = unitsOf(call(speak(0, 'Hello', { heard_ms: 0 })));
    expect(unheard.text).toBe('');
  });

  it('end with what the model never answered', () => {
    expect(bounds(unitsOf(call(listen(0), waiting(1, 300))))).toEqual([[0, 1000], [1000, 2000]]);
  });

  it('are found by time, also outside of the call', () => {
    const units = unitsOf(call(...Array.from({ length: 7200 }, (_, index) => listen(index))));
    expect([-5, 0, 999, 1000, 3_600_500, 1e9].map((ms) => unitAt(units, ms))).toEqual([
      0, 0, 0, 1, 3600, 7199,
    ]);
  });

  it('know the picture that was seen last', () => {
    const seen = listen(0, { user_frame: 'user_frames/0.jpg' });
    const units = unitsOf(call(seen, listen(1)));
    expect(frameAt(units, 1500)).toBe('user_frames/0.jpg');
    expect(frameAt(unitsOf(call(listen(0))), 500)).toBe(null);
  });

  it('tell what they cost, and how that is spread', () => {
    const timed = (index, timing) => listen(index, { result: { mode: 'LISTEN', timing } });
    const speech = { prefill_ms: 60, llm_ms: 200, tts_prep_ms: 3, tts_ms: 97, token2wav_ms: 800 };
    const units = unitsOf(call(timed(0, { prefill_ms: 60, all_ms: 40 }), timed(1, speech), listen(2)));
    expect(costsOf(units[0])).toEqual({ prefill: 60, llm: 40, tts: 0, token2wav: 0 });
    expect(costsOf(units[1])).toEqual({ prefill: 60, llm: 200, tts: 100, token2wav: 800 });
    const summary = costSummary(units, 1000);
    expect(summary).toEqual({ medianMs: 1160, slowestMs: 1160, slowest: 1, late: 1, count: 2 });
    expect(costSummary(unitsOf(call(listen(0))), 1000)).toBe(null);
  });
});

describe('lines', () => {
  it('are the turns of the model', () => {
    const lines = linesOf(
      call(listen(0), speak(1, 'Hello '), speak(2, 'there.', { end_of_turn: true }), speak(3, 'Well')),
    );
    expect(lines.map(({ text, startMs, endMs }) => [text, startMs, endMs])).toEqual([
      ['Hello there.', 1000, 3000],
      ['Well', 3000, 4000],
    ]);
  });

  it('say what was interrupted', () => {
    const lines = linesOf(call(speak(0, 'Hello ', { heard_ms: 1000 }), speak(1, 'you', { heard_ms: 0 })));
    expect(lines).toMatchObject([{ text: 'Hello', interrupted: true }]);
  });

  it('of turns name both sides, and admit what nobody wrote down', () => {
    const turn = (input) => ({
      request_ts_ms: 5000, input, output: { text: 'A cat.' }, timing: { elapsed_ms: 800 },
    });
    const voice = { type: 'voice', duration_ms: 2000, audio: 'user_audio/0.wav' };
    const lines = linesOf({ mode: 'chat', turns: [turn({ text: 'What?' }), turn(voice)] });
    expect(lines.map(({ role, text, startMs, endMs }) => [role, text, startMs, endMs])).toEqual([
      ['user', 'What?', 5000, 5000],
      ['model', 'A cat.', 5000, 5800],
      ['user', null, 3000, 5000],
      ['model', 'A cat.', 5000, 5800],
    ]);
  });
});

describe('sound', () => {
  const wav = (samples, format) => {
    const data = new Uint8Array(Int16Array.from(samples).buffer);
    return new Uint8Array([...wavHeader({ ...format, dataBytes: data.length }), ...data]);
  };

  it('is read from WAV files', () => {
    const file = wav([1, -2, 3], { channels: 1, sampleRate: 24_000 });
    expect(readWavHeader(file)).toEqual({ channels: 1, sampleRate: 24_000, dataStart: 44 });
    expect([...readWavSamples(file)]).toEqual([1, -2, 3]);
    expect(() => readWavHeader(new Uint8Array(64))).toThrow('not a WAV file');
  });

  it('of a unit has the visitor on the left and what was heard of the model on the right', () => {
    const unit = { startMs: 0, endMs: 1000, aiMs: 500 };
    const user = [new Int16Array(8000).fill(100), new Int16Array(4000).fill(200)];
    const stereo = mixUnit(unit, user, new Int16Array(24_000).fill(300));
    const [left, right] = [0, 1].map((side) => stereo.filter((_, index) => index % 2 === side));
    expect([left[0], left[7999], left[8000], left[11_999], left[12_000]]).toEqual([100, 100, 200, 200, 0]);
    expect([right[0], right[7999], right[8000]]).toEqual([300, 300, 0]);
  });

  it('is drawn by its loudest moments', () => {
    const { user, model } = peaksOf(Int16Array.from([0, -16384, 8192, 0, 0, 0, -4096, 0]), 2);
    expect([...user, ...model]).toEqual([0.25, 0.125, 0.5, 0]);
  });

  it('is read a few units at a time, and forgotten long after', async () => {
    const units = unitsOf(call(...Array.from({ length: 700 }, (_, index) => listen(index))));
    const sound = { read: vi.fn(async (batch) => batch.map(() => new Int16Array(320))) };
    const store = new PeakStore(sound, () => {});
    for (let first = 0; first < 700; first += 25) {
      store.want(units.slice(first, first + 25));
      await vi.waitFor(() => expect(store.peaks(units[first + 24])).not.toBe(null));
    }
    expect(sound.read.mock.calls.every(([batch]) => batch.length <= 10)).toBe(true);
    expect(store.peaks(units[699]).user).toHaveLength(PEAKS_PER_UNIT);
    expect(store.peaks(units[0])).toBe(null);
  });

  it('that cannot be read is tried again only later', async () => {
    let nowMs = 0;
    const sound = { read: vi.fn().mockRejectedValue(new Error('gone')) };
    const store = new PeakStore(sound, () => {}, () => nowMs);
    const units = unitsOf(call(listen(0)));
    store.want(units);
    await Promise.resolve();
    await Promise.resolve();
    store.want(units);
    expect(sound.read).toHaveBeenCalledTimes(1);
    nowMs = 6000;
    store.want(units);
    expect(sound.read).toHaveBeenCalledTimes(2);
  });
});

it('a bounded map keeps what was used last, and frees the rest', () => {
  const freed = [];
  const map = new BoundedMap(2, (value) => freed.push(value));
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  expect([map.has('a'), map.has('b'), map.has('c'), freed]).toEqual([true, false, true, [2]]);
});

describe('the window', () => {
  it('follows what is played, page by page, and stays within the call', () => {
    const window = new TimeWindow(100_000, 2);
    expect([window.follow(29_999), window.startMs]).toEqual([false, 0]);
    expect([window.follow(30_000), window.startMs]).toEqual([true, 25_500]);
    window.follow(99_000);
    expect(window.endMs).toBe(100_000);
    expect(window.timeAt(window.place(80_000, 640), 640)).toBeCloseTo(80_000);
  });

  it('zooms around a moment', () => {
    const window = new TimeWindow(100_000, 1);
    window.zoom(-1, 50_000);
    expect([window.startMs, window.endMs, window.canZoomIn]).toEqual([46_000, 54_000, false]);
    for (let step = 0; step < 5; step += 1) window.zoom(1, 50_000);
    expect([window.startMs, window.endMs, window.canZoomOut]).toEqual([0, 100_000, false]);
  });
});

describe('the player', () => {
  let media;
  let opened;
  const units = unitsOf(call(...Array.from({ length: 60 }, (_, index) => listen(index))));

  beforeEach(() => {
    vi.useFakeTimers();
    media = Object.assign(new EventTarget(), {
      currentTime: 0, readyState: 4, play: vi.fn(async () => {}), pause: vi.fn(),
    });
    opened = [];
    vi.stubGlobal('URL', { createObjectURL: () => `blob:${opened.length}`, revokeObjectURL: vi.fn() });
  });

  const openStretches = async () => {
    const read = async (near) => {
      opened.push([near[0].index, near.at(-1).index]);
      return near.map(() => new Int16Array(32_000));
    };
    const player = new ReplayPlayer(media, 60);
    player.use(stretches(units, { read }));
    await vi.advanceTimersByTimeAsync(0);
    return player;
  };

  it('decodes ten units before and after the one that is played', async () => {
    const player = await openStretches();
    player.seek(30.5);
    await vi.advanceTimersByTimeAsync(200);
    expect(opened).toEqual([[0, 10], [20, 40]]);
    expect(media.currentTime).toBeCloseTo(10.5);
    expect(player.timeS).toBeCloseTo(30.5);
    expect(URL.revokeObjectURL).toHaveBeenCalledTimes(1);
  });

  it('fetches nothing for places that are passed on the way', async () => {
    const player = await openStretches();
    for (let place = 12; place < 50; place += 1) player.seek(place);
    expect(player.timeS).toBe(49);
    await vi.advanceTimersByTimeAsync(200);
    expect(opened).toEqual([[0, 10], [39, 59]]);
  });

  it('goes on with the next stretch by itself, and stops at the end', async () => {
    const player = await openStretches();
    player.play();
    media.currentTime = 11;
    media.dispatchEvent(new Event('ended'));
    await vi.advanceTimersByTimeAsync(0);
    expect(opened.at(-1)).toEqual([1, 21]);
    expect([media.currentTime, player.playing]).toEqual([10, true]);
    player.seek(59.5);
    await vi.advanceTimersByTimeAsync(200);
    media.dispatchEvent(new Event('ended'));
    expect(player.playing).toBe(false);
  });

  it('tells of a stretch that cannot be had', async () => {
    const player = new ReplayPlayer(media, 60);
    const failed = vi.fn();
    player.on('failure', failed);
    player.use(stretches(units, { read: () => Promise.reject(new Error('gone')) }));
    await vi.advanceTimersByTimeAsync(0);
    expect(failed).toHaveBeenCalledTimes(1);
  });
});

it('the length of a recorder\'s WebM is found by going to its end and back', () => {
  const media = Object.assign(new EventTarget(), { duration: Infinity, currentTime: 0 });
  findDuration(media);
  expect(media.currentTime).toBeGreaterThan(1e6);
  media.duration = 12;
  media.dispatchEvent(new Event('durationchange'));
  expect(media.currentTime).toBe(0);
});
