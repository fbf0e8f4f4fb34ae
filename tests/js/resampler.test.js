import { describe, expect, it } from 'vitest';

import { Resampler } from '../../static/lib/resampler.js';

const OUTPUT_RATE = 16_000;

function tone(frequency, rate, samples) {
  return Float32Array.from({ length: samples }, (_, n) =>
    Math.sin((2 * Math.PI * frequency * n) / rate),
  );
}

/** Level in dB of everything that comes out when a full-scale tone goes in. */
function responseDb(frequency, inputRate) {
  const output = new Resampler(inputRate, OUTPUT_RATE).process(tone(frequency, inputRate, inputRate / 2));
  const settled = output.subarray(400, output.length - 400);
  const power = settled.reduce((sum, sample) => sum + sample * sample, 0) / settled.length;
  return 10 * Math.log10(power * 2);
}

describe.each([44_100, 48_000, 96_000])('from %i Hz to 16 kHz', (inputRate) => {
  it.each([100, 1000, 3000, 5000, 6500])('passes %i Hz within 0.1 dB', (frequency) => {
    expect(Math.abs(responseDb(frequency, inputRate))).toBeLessThan(0.1);
  });

  it.each([8000, 8500, 10_000, 11_000, 15_900, 20_000])('removes %i Hz, which would fold back', (frequency) => {
    expect(responseDb(frequency, inputRate)).toBeLessThan(-60);
  });

  it('gives the same samples however the input is cut', () => {
    const input = tone(440, inputRate, 20_000);
    const whole = new Resampler(inputRate, OUTPUT_RATE).process(input);
    const resampler = new Resampler(inputRate, OUTPUT_RATE);
    const joined = [];
    const sizes = [1, 127, 128, 499];
    for (let start = 0, piece = 0; start < input.length; piece += 1) {
      const end = start + sizes[piece % sizes.length];
      joined.push(...resampler.process(input.subarray(start, end)));
      start = end;
    }
    expect(joined).toEqual([...whole]);
  });

  it('gives as many samples as the time asks for, at any moment', () => {
    const resampler = new Resampler(inputRate, OUTPUT_RATE);
    let given = 0;
    for (let blocks = 1; blocks <= 1000; blocks += 1) {
      given += resampler.process(new Float32Array(128)).length;
      const due = Math.round((blocks * 128 * OUTPUT_RATE) / inputRate);
      expect(Math.abs(given - due)).toBeLessThanOrEqual(1);
    }
  });

  it('delays by 1.5 ms', () => {
    const input = new Float32Array(inputRate / 10);
    input[inputRate / 20] = 1; // at 50 ms
    const output = new Resampler(inputRate, OUTPUT_RATE).process(input);
    const peak = output.indexOf(Math.max(...output));
    expect(peak / OUTPUT_RATE).toBeCloseTo(0.0515, 3);
  });
});

it('spans 24 zero crossings on each side', () => {
  expect(new Resampler(48_000, OUTPUT_RATE).taps).toBe(145);
  expect(new Resampler(44_100, OUTPUT_RATE).taps).toBe(135);
});

it('also raises a rate without images', () => {
  const output = new Resampler(8000, OUTPUT_RATE).process(tone(1000, 8000, 4000));
  const expected = tone(1000, OUTPUT_RATE, output.length);
  const delay = 48; // 24 input samples
  for (let n = 200; n < output.length - 200; n += 1) {
    expect(output[n]).toBeCloseTo(expected[n - delay], 2);
  }
});
