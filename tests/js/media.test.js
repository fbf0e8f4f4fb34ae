import { describe, expect, it, vi } from 'vitest';

import { decodeAudioFile } from '../../static/audio/file-audio.js';
import { Microphone } from '../../static/audio/microphone.js';
import { prepareImageFile } from '../../static/image/image-file.js';
import { MAX_AUDIO_S, SAMPLE_RATE } from '../../static/lib/limits.js';
import { levelOf } from '../../static/lib/pcm.js';

const named = (name) => Object.assign(new Error(name), { name });

describe('the microphone', () => {
  const codeWhen = async (browser) => {
    const failure = await new Microphone(browser).record({}).catch((error) => error);
    return failure.code;
  };

  it.each([
    ['NotAllowedError', 'mic_denied'],
    ['NotFoundError', 'mic_missing'],
    ['OverconstrainedError', 'mic_missing'],
    ['NotReadableError', 'mic_busy'],
    ['AbortError', 'mic_failed'],
  ])('that fails with %s is told as %s', async (name, code) => {
    const mediaDevices = { getUserMedia: async () => { throw named(name); } };
    expect(await codeWhen({ isSecureContext: true, navigator: { mediaDevices } })).toBe(code);
  });

  it('needs a secure page', async () => {
    const location = { host: 'server:8006' };
    const failure = new Microphone({ isSecureContext: false, location, navigator: {} }).record({});
    await expect(failure).rejects.toMatchObject({ code: 'insecure_context', params: location });
  });

  it('is let go of when the sound cannot be captured', async () => {
    const track = { stop: vi.fn() };
    const stream = { getTracks: () => [track], getAudioTracks: () => [track] };
    const mediaDevices = { getUserMedia: async () => stream };
    const AudioContext = class {
      constructor() {
        throw named('NotSupportedError');
      }
    };
    const browser = { isSecureContext: true, navigator: { mediaDevices }, AudioContext };
    expect(await codeWhen(browser)).toBe('mic_failed');
    expect(track.stop).toHaveBeenCalledOnce();
  });

  it('shows its level between -60 dB and full scale', () => {
    expect([-Infinity, -90, -60, -30, 0, 3].map(levelOf)).toEqual([0, 0, 0, 0.5, 1, 1]);
  });
});

describe('sound files', () => {
  const contextWith = (channels) =>
    class {
      async decodeAudioData() {
        if (channels === null) throw named('EncodingError');
        return {
          numberOfChannels: channels.length,
          length: channels[0].length,
          getChannelData: (index) => channels[index],
        };
      }
    };
  const file = (size = 10) => ({ name: 'a.mp3', size, arrayBuffer: async () => new ArrayBuffer(0) });

  it('become mono, limited to full scale', async () => {
    const Context = contextWith([Float32Array.of(3, 0.5), Float32Array.of(1, 0.25)]);
    const { samples, shortened } = await decodeAudioFile(file(), Context);
    expect(samples).toEqual(Float32Array.of(1, 0.375));
    expect(shortened).toBe(false);
  });

  it('are cut to ten minutes', async () => {
    const Context = contextWith([new Float32Array(MAX_AUDIO_S * SAMPLE_RATE + 5)]);
    const { samples, shortened } = await decodeAudioFile(file(), Context);
    expect(samples).toHaveLength(MAX_AUDIO_S * SAMPLE_RATE);
    expect(shortened).toBe(true);
  });

  it('that are damaged or too large are refused by name', async () => {
    const params = { name: 'a.mp3' };
    await expect(decodeAudioFile(file(), contextWith(null))).rejects.toMatchObject({
      code: 'file_unreadable',
      params,
    });
    await expect(decodeAudioFile(file(31e6), contextWith(null))).rejects.toMatchObject({
      code: 'file_too_large',
      params,
    });
  });
});

describe('pictures', () => {
  const browserWith = (width, height) => {
    const drawn = {};
    return {
      drawn,
      createImageBitmap: async () => ({ width, height, close() {} }),
      OffscreenCanvas: class {
        constructor(w, h) {
          Object.assign(drawn, { w, h });
        }
        getContext = () => ({ fillRect() {}, drawImage() {} });
        convertToBlob = async ({ type }) => ({ type });
      },
    };
  };
  const file = (type, size = 1000) => ({ name: 'a', type, size });

  it('in a common format keep their own bytes', async () => {
    const png = file('image/png');
    const result = await prepareImageFile(png, browserWith(640, 480));
    expect(result).toEqual({ blob: png, width: 640, height: 480, redrawn: false });
  });

  it.each([
    ['another format', file('image/avif'), [640, 480], [640, 480], true],
    ['more than 20 MB', file('image/png', 21e6), [640, 480], [640, 480], false],
    ['an edge over 1280 pixels', file('image/jpeg'), [4000, 2500], [1280, 800], false],
  ])('with %s are drawn again as JPEG', async (_, input, size, drawnSize, redrawn) => {
    const browser = browserWith(...size);
    const result = await prepareImageFile(input, browser);
    expect(result).toMatchObject({ redrawn, blob: { type: 'image/jpeg' } });
    expect([browser.drawn.w, browser.drawn.h]).toEqual(drawnSize);
  });

  it('that cannot be read are refused by name', async () => {
    const browser = { createImageBitmap: async () => { throw named('InvalidStateError'); } };
    await expect(prepareImageFile(file('image/png'), browser)).rejects.toMatchObject({
      code: 'file_unreadable',
      params: { name: 'a' },
    });
  });
});
