import { describe, expect, it } from 'vitest';

import { decodeBeginning } from '../../static/audio/file-audio.js';
import { SAMPLE_RATE } from '../../static/lib/limits.js';

const LIMIT_S = 300;
const BYTES_PER_S = 1000;

/** A file of a thousand bytes a second, and a context that decodes it, except where `refuses`. */
function fileOf(durationS, { refuses = () => false, size = durationS * BYTES_PER_S } = {}) {
  const read = [];
  const blob = (bytes) => ({ arrayBuffer: async () => ({ byteLength: bytes }) });
  const file = { name: 'talk.mp4', size, slice: (_, end) => blob(end), ...blob(size) };
  const Context = class {
    async decodeAudioData({ byteLength }) {
      read.push(byteLength / BYTES_PER_S);
      if (refuses(byteLength)) throw new Error('EncodingError');
      const samples = new Float32Array((byteLength / BYTES_PER_S) * SAMPLE_RATE);
      return { numberOfChannels: 1, length: samples.length, getChannelData: () => samples };
    }
  };
  const decode = () => decodeBeginning(file, { durationS, limitS: LIMIT_S }, Context);
  return { decode, read };
}

describe('of a file for a call', () => {
  it('that is short all is read', async () => {
    const { decode, read } = fileOf(20);
    expect((await decode()).samples).toHaveLength(20 * SAMPLE_RATE);
    expect(read).toEqual([20]);
  });

  it('that lasts three hours only the beginning is read', async () => {
    const { decode, read } = fileOf(10_800);
    const { samples, shortened } = await decode();
    expect(samples).toHaveLength(LIMIT_S * SAMPLE_RATE);
    expect(shortened).toBe(true);
    expect(read).toEqual([2 * LIMIT_S]);
  });

  it('that needs its end to be understood, all is read while it fits into the memory', async () => {
    const partial = (bytes) => bytes < 1200 * BYTES_PER_S;
    const { decode, read } = fileOf(1200, { refuses: partial });
    expect((await decode()).samples).toHaveLength(LIMIT_S * SAMPLE_RATE);
    expect(read).toEqual([600, 1200]);
  });

  it.each([
    ['that would fill the memory', 10_800, {}, 'audio_too_long'],
    ['of too many bytes', 200, { size: 400e6 }, 'file_too_large'],
    ['that is damaged', 20, {}, 'file_unreadable'],
  ])('%s the reason is told', async (_, durationS, options, code) => {
    const { decode } = fileOf(durationS, { refuses: () => true, ...options });
    await expect(decode()).rejects.toMatchObject({ code, params: { name: 'talk.mp4' } });
  });
});
