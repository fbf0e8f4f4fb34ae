// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { base64ToBytes } from '../../static/lib/base64.js';
import { SAMPLE_RATE } from '../../static/lib/limits.js';
import { VoiceController } from '../../static/pages/voice-controller.js';
import { speakEnglish } from './fakes.js';

const WORDS = { en: () => import('../../static/i18n/persona-en.js') };

let container;
let voice;
let decoded; // seconds of sound in the next file, or null for one that cannot be read

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  await translator.add(WORDS);
  vi.stubGlobal('OfflineAudioContext', class {
    async decodeAudioData() {
      if (decoded === null) throw new Error('unreadable');
      const samples = new Float32Array(decoded * SAMPLE_RATE).fill(0.1);
      return { numberOfChannels: 1, length: samples.length, getChannelData: () => samples };
    }
  });
  container = document.createElement('div');
  document.body.replaceChildren(container);
  voice = new VoiceController(container);
});

const shown = () => container.querySelector('.voice-current').textContent;
const notes = () => container.querySelector('[role=alert]').textContent;

async function choose(seconds, name = 'me.wav') {
  decoded = seconds;
  const input = container.querySelector('input[type=file]');
  const file = { name, size: 10, arrayBuffer: async () => new ArrayBuffer(0) };
  Object.defineProperty(input, 'files', { value: [file], configurable: true });
  input.dispatchEvent(new Event('change'));
  await vi.waitFor(() => expect(shown() + notes()).toContain(name));
}

describe('the voice', () => {
  it('is that of the service at first', () => {
    expect(voice.data).toBe(null);
    expect(shown()).toBe('The voice of the service');
  });

  it('can be a sound file, which can be heard and removed', async () => {
    await choose(2);
    expect(base64ToBytes(voice.data)).toHaveLength(2 * SAMPLE_RATE * 4);
    expect(container.querySelector('.audio-pill .pill-time').textContent).toBe('0:02');
    container.querySelector('button[title="Remove me.wav"]').click();
    expect(voice.data).toBe(null);
    expect(shown()).toBe('The voice of the service');
  });

  it('must be half a second long', async () => {
    await choose(0.4);
    expect(notes()).toContain('me.wav is too short for a voice');
    expect(notes()).toContain('at least 0.5 seconds');
    expect(voice.data).toBe(null);
  });

  it('is cut to 20 seconds, and says so', async () => {
    await choose(21);
    expect(base64ToBytes(voice.data)).toHaveLength(20 * SAMPLE_RATE * 4);
    expect(notes()).toBe('The first 20 seconds of me.wav are used.');
  });

  it('stays when another file cannot be read', async () => {
    await choose(1);
    const { data } = voice;
    await choose(null, 'broken.wav');
    expect(notes()).toContain('broken.wav cannot be read');
    expect(voice.data).toBe(data);
    await choose(1, 'better.wav');
    expect(notes()).toBe('');
  });
});
