import { describe, expect, it } from 'vitest';

import { readWavHeader, readWavSamples } from '../../static/lib/wav-reader.js';
import { pickVideoFormat, videoFormats } from '../../static/record/codec-support.js';
import { StereoRecorder } from '../../static/record/stereo-recorder.js';

const RATE = 16_000;
const CLICK_MS = 5;

/** A call whose time a test lets pass: the wall clock, and that of the capture, which pauses. */
class Session {
  wallMs = 5000; // pages are open before a call begins
  #captureMs = 0;
  #captured = 0; // samples that were handed over
  #heard = []; // where the visitor clicks, in milliseconds of capture
  #capturing = true;
  recorder = new StereoRecorder({ positionMs: () => this.#captureMs, now: () => this.wallMs });

  pass(durationMs) {
    this.wallMs += durationMs;
    if (!this.#capturing) return;
    this.#captureMs += durationMs;
    while (this.#captureMs * 16 - this.#captured >= RATE) this.#handOver();
  }

  clickOnLeft() {
    this.#heard.push(this.#captureMs);
  }

  /** The model speaks; `inMs` from now it sounds. */
  speak(samples, inMs = 0) {
    this.recorder.speak({ samples, wallMs: this.wallMs + inMs });
  }

  /** Devices take a moment to stop, and longer to go on. */
  pause(durationMs, { stopMs = 8, goOnMs = 70 } = {}) {
    this.pass(stopMs);
    this.#capturing = false;
    this.pass(durationMs);
    this.recorder.pause();
    this.pass(goOnMs);
    this.#capturing = true;
  }

  async finish() {
    const bytes = new Uint8Array(await this.recorder.finish().arrayBuffer());
    const samples = readWavSamples(bytes);
    const channel = (side) => samples.filter((_, index) => index % 2 === side);
    return { bytes, left: channel(0), right: channel(1) };
  }

  #handOver() {
    const chunk = new Float32Array(RATE);
    for (const atMs of this.#heard) {
      const first = Math.round(atMs * 16) - this.#captured;
      for (let index = first; index < first + CLICK_MS * 16; index += 1) chunk[index] = 0.9;
    }
    this.recorder.hear({ samples: chunk, startFrame: this.#captured });
    this.#captured += RATE;
  }
}

const tone = (durationMs, level = 0.5) => new Float32Array(durationMs * 24).fill(level);
const click = () => tone(CLICK_MS, 0.9);
const loudFrames = (samples) => [...samples.keys()].filter((frame) => Math.abs(samples[frame]) > 8000);

/** Where clicks begin, in milliseconds. */
function clicksIn(samples) {
  const frames = loudFrames(samples);
  const begins = frames.filter((frame, index) => frame - (frames[index - 1] ?? -Infinity) > 800);
  return begins.map((frame) => frame / 16);
}

describe('a recording of a call', () => {
  it('is a stereo WAV file as long as its longer side', async () => {
    const session = new Session();
    session.pass(2000);
    session.speak(tone(1000), 500);
    const { bytes, left, right } = await session.finish();
    expect(readWavHeader(bytes)).toMatchObject({ channels: 2, sampleRate: RATE });
    expect(left.length / RATE).toBeCloseTo(3.5, 2);
    expect(right).toHaveLength(left.length);
  });

  it('does not exist where nothing was recorded', () => {
    expect(new StereoRecorder({ positionMs: () => 0 }).finish()).toBe(null);
  });

  it.each([0, 1, 2, 7, 30])('has clicks of both sides within 20 ms after %i pauses', async (pauses) => {
    const session = new Session();
    for (let pause = 0; pause < pauses; pause += 1) {
      session.pass(700 + 31 * pause);
      session.pause(300 + 170 * pause);
    }
    session.pass(1300);
    session.clickOnLeft();
    session.speak(click());
    session.pass(2000);
    const { left, right } = await session.finish();
    const [[heardMs], [spokenMs]] = [clicksIn(left), clicksIn(right)];
    expect(Math.abs(heardMs - spokenMs)).toBeLessThan(20);
  });

  it('leaves pauses out', async () => {
    const session = new Session();
    session.pass(1500);
    session.pause(60_000);
    session.pass(2000);
    const { left } = await session.finish();
    expect(left.length / RATE).toBe(3);
  });

  it('keeps what the model was still saying when the call was paused', async () => {
    const session = new Session();
    session.pass(1200);
    session.speak(tone(1500));
    session.pause(5000);
    session.clickOnLeft();
    session.speak(click());
    session.pass(3000);
    const { left, right } = await session.finish();
    const spoken = loudFrames(right).length / 16;
    expect(spoken).toBeGreaterThan(1490);
    const [heardMs] = clicksIn(left);
    expect(heardMs).toBeCloseTo(1200 + 1500, -1);
    expect(Math.abs(clicksIn(right).at(-1) - heardMs)).toBeLessThanOrEqual(1500 + 20);
  });

  it('places speech when it sounds, and pieces of a turn one behind the other', async () => {
    const session = new Session();
    session.pass(1000);
    session.speak(tone(400), 200);
    session.speak(tone(400), 598);
    session.pass(1000);
    const { right } = await session.finish();
    const frames = loudFrames(right);
    expect(frames[0] / 16).toBeCloseTo(1200, -1);
    expect(frames).toHaveLength(frames.at(-1) - frames[0] + 1);
    expect(frames.length / 16).toBeGreaterThan(790);
  });

  it('ends speech where it was cut', async () => {
    const session = new Session();
    session.pass(1000);
    session.speak(tone(1000), 100);
    session.speak(tone(1000), 1100);
    session.pass(600);
    session.recorder.cut({ wallMs: session.wallMs });
    session.pass(400);
    session.speak(click(), 200);
    session.pass(1000);
    const { right } = await session.finish();
    const silentFrom = loudFrames(right).findLast((frame) => frame / 16 < 2000) / 16;
    expect(silentFrom).toBeCloseTo(1600, -1);
    expect(clicksIn(right).at(-1)).toBeCloseTo(2200, -1);
  });

  it('of a long call keeps finished parts as blobs', async () => {
    const session = new Session();
    session.clickOnLeft();
    session.pass(200_000);
    session.clickOnLeft();
    session.pass(1000);
    const { left } = await session.finish();
    expect(left.length / RATE).toBe(201);
    expect(clicksIn(left)).toEqual([0, 200_000]);
  });
});

describe('formats', () => {
  const browser = (...known) => ({
    isTypeSupported: (mime) => known.some((part) => mime.includes(part)),
  });

  it('that work are told from those that do not', () => {
    const works = videoFormats(browser('vp8')).filter(({ supported }) => supported);
    expect(works.map(({ name }) => name)).toEqual(['WebM, VP8']);
    expect(videoFormats({ isTypeSupported: () => false }).some(({ supported }) => supported)).toBe(false);
  });

  it.each([
    ['the best one', '', browser('webm', 'mp4'), 'video/webm;codecs=vp9,opus'],
    ['the wanted one', 'video/mp4', browser('webm', 'mp4'), 'video/mp4'],
    ['another than wanted', 'video/webm', browser('mp4'), 'video/mp4;codecs=avc1.42E01E,mp4a.40.2'],
    ['none', '', browser(), null],
  ])('of which %s is taken', (_, wanted, Recorder, mime) => {
    expect(pickVideoFormat(wanted, Recorder)).toBe(mime);
  });
});
