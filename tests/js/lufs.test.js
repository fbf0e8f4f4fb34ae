import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { integratedLoudness } from '../../static/lib/lufs.js';
import { Resampler } from '../../static/lib/resampler.js';
import { readWavHeader, readWavSamples } from '../../static/lib/wav-reader.js';

const VOICE = new URL('../../resources/ref_audio/ref_en.wav', import.meta.url);

function sine(frequencyHz, sampleRate, { seconds = 5, decibels = 0 } = {}) {
  const peak = 10 ** (decibels / 20);
  return Float32Array.from({ length: seconds * sampleRate }, (_, index) =>
    peak * Math.sin((2 * Math.PI * frequencyHz * index) / sampleRate),
  );
}

it.each([
  ['at full scale, 48 kHz', 48_000, 0, -3.01],
  ['at full scale, 16 kHz', 16_000, 0, -3.01],
  ['23 dB below, 48 kHz', 48_000, -23, -26],
  ['23 dB below, 16 kHz', 16_000, -23, -26],
])('a 997 Hz tone %s is as loud as the standard says', (_, sampleRate, decibels, lufs) => {
  const loudness = integratedLoudness(sine(997, sampleRate, { decibels }), sampleRate);
  expect(Math.abs(loudness - lufs)).toBeLessThanOrEqual(0.1);
});

it.each([
  ['nothing', new Float32Array()],
  ['silence', new Float32Array(32_000)],
  ['what cannot be heard', sine(997, 16_000, { decibels: -90 })],
])('%s has no loudness', (_, samples) => {
  expect(integratedLoudness(samples, 16_000)).toBe(-Infinity);
});

it('pauses between words do not make a voice quieter', () => {
  const tone = sine(500, 16_000, { seconds: 4 });
  const withPauses = new Float32Array(8 * 16_000);
  withPauses.set(tone, 2 * 16_000);
  const loudness = integratedLoudness(tone, 16_000);
  expect(integratedLoudness(withPauses, 16_000)).toBeCloseTo(loudness, 0);
});

it('low rumble counts less than a voice', () => {
  const at = (frequencyHz) => integratedLoudness(sine(frequencyHz, 16_000), 16_000);
  expect(at(20)).toBeLessThan(at(500) - 10);
  expect(at(3000)).toBeGreaterThan(at(500) + 2);
});

it('one recording is as loud at every rate', () => {
  const bytes = readFileSync(VOICE);
  const { sampleRate } = readWavHeader(bytes);
  const samples = Float32Array.from(readWavSamples(bytes), (sample) => sample / 32_768);
  const higher = new Resampler(sampleRate, 48_000).process(samples);
  const difference = integratedLoudness(higher, 48_000) - integratedLoudness(samples, sampleRate);
  expect(Math.abs(difference)).toBeLessThan(0.3);
});

it('five minutes take no time that is noticed', () => {
  const samples = sine(300, 16_000, { seconds: 300 });
  const startMs = performance.now();
  integratedLoudness(samples, 16_000);
  expect(performance.now() - startMs).toBeLessThan(1000); // 50 ms on an idle machine
});
