import { describe, expect, it, vi } from 'vitest';

import { base64ToBytes, bytesToBase64 } from '../../static/lib/base64.js';
import { ChunkBuffer } from '../../static/lib/chunk-buffer.js';
import {
  bytesToFloats,
  clampSamples,
  floatsToBytes,
  joinSamples,
  mixToMono,
  peakOf,
  rmsDecibels,
} from '../../static/lib/pcm.js';
import { encodeWav } from '../../static/lib/wav.js';

describe('base64', () => {
  it.each([0, 1, 2, 3, 8191, 8192, 8193, 100_000])('carries %i bytes there and back', (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
    const text = bytesToBase64(bytes);
    expect(text).toBe(Buffer.from(bytes).toString('base64'));
    expect(base64ToBytes(text)).toEqual(bytes);
  });

  it('uses what the browser has of its own', () => {
    const bytes = Object.assign(new Uint8Array(2), { toBase64: () => 'native' });
    expect(bytesToBase64(bytes)).toBe('native');
    Uint8Array.fromBase64 = vi.fn(() => bytes);
    expect(base64ToBytes('AAA=')).toBe(bytes);
    delete Uint8Array.fromBase64;
  });
});

describe('float32 PCM', () => {
  it('is little-endian and survives the way there and back', () => {
    const samples = Float32Array.of(1, -0.5, 0.1);
    const bytes = floatsToBytes(samples);
    expect([...bytes.slice(0, 4)]).toEqual([0, 0, 128, 63]);
    expect(bytesToFloats(bytes)).toEqual(samples);
  });

  it('reads bytes that do not start at a multiple of four', () => {
    const shifted = new Uint8Array(9);
    shifted.set(floatsToBytes(Float32Array.of(0.25, -2)), 1);
    expect(bytesToFloats(shifted.subarray(1))).toEqual(Float32Array.of(0.25, -2));
  });

  it.each([1, 3, 5])('refuses %i bytes', (length) => {
    expect(() => bytesToFloats(new Uint8Array(length))).toThrow(`${length} bytes`);
  });

  it('is limited to full scale', () => {
    expect(clampSamples(Float32Array.of(1.09, -3, 0.5))).toEqual(Float32Array.of(1, -1, 0.5));
  });

  it('averages channels', () => {
    const mono = mixToMono([Float32Array.of(1, 0), Float32Array.of(0, -1)]);
    expect(mono).toEqual(Float32Array.of(0.5, -0.5));
  });

  it('knows its peak and its level', () => {
    expect(peakOf(Float32Array.of(0.2, -0.75))).toBe(0.75);
    expect(rmsDecibels(Float32Array.of(0.1, -0.1))).toBeCloseTo(-20, 4);
    expect(rmsDecibels(new Float32Array(4))).toBe(-Infinity);
  });

  it('joins parts in order', () => {
    expect(joinSamples([Float32Array.of(1), Float32Array.of(), Float32Array.of(2, 3)])).toEqual(
      Float32Array.of(1, 2, 3),
    );
  });
});

describe('WAV files', () => {
  const bytes = encodeWav(Float32Array.of(0, 1, -1, 2), 16_000);
  const view = new DataView(bytes.buffer);
  const tag = (offset) => String.fromCharCode(...bytes.subarray(offset, offset + 4));

  it('begin with a header that tells of 16-bit mono at the given rate', () => {
    expect([tag(0), tag(8), tag(12), tag(36)]).toEqual(['RIFF', 'WAVE', 'fmt ', 'data']);
    expect(view.getUint32(4, true)).toBe(bytes.length - 8);
    expect(view.getUint16(20, true)).toBe(1);
    expect(view.getUint16(22, true)).toBe(1);
    expect(view.getUint32(24, true)).toBe(16_000);
    expect(view.getUint32(28, true)).toBe(32_000);
    expect(view.getUint16(32, true)).toBe(2);
    expect(view.getUint16(34, true)).toBe(16);
    expect(view.getUint32(40, true)).toBe(8);
  });

  it('hold the samples, limited to full scale', () => {
    const samples = [44, 46, 48, 50].map((offset) => view.getInt16(offset, true));
    expect(samples).toEqual([0, 32767, -32768, 32767]);
  });
});

describe('chunks', () => {
  it('have one length whatever the blocks are, and lose nothing', () => {
    const chunks = [];
    const buffer = new ChunkBuffer(4, (chunk) => chunks.push(...chunk, '|'));
    buffer.push(Float32Array.of(1, 2, 3));
    buffer.push(Float32Array.of(4, 5, 6, 7, 8, 9));
    expect(chunks).toEqual([1, 2, 3, 4, '|', 5, 6, 7, 8, '|']);
    expect(buffer.take()).toEqual(Float32Array.of(9));
    expect(buffer.take()).toHaveLength(0);
  });
});
