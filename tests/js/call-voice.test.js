import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Emitter } from '../../static/lib/emitter.js';
import { SilenceWatch } from '../../static/lib/silence-watch.js';
import { CallVoice } from '../../static/pages/call-voice.js';

const PIECE_SAMPLES = 320;
const SECOND_PIECES = 50;
const piece = (level) => new Float32Array(PIECE_SAMPLES).fill(level);

describe('a microphone', () => {
  const notices = (watch, level, pieces) =>
    Array.from({ length: pieces }, () => watch.push(piece(level))).filter(Boolean).length;

  it('that gives nothing for eight seconds is noticed, once', () => {
    const watch = new SilenceWatch();
    expect(notices(watch, 0, 8 * SECOND_PIECES - 1)).toBe(0);
    expect(notices(watch, 0, 20 * SECOND_PIECES)).toBe(1);
  });

  it('that has been heard may be silent, as when nobody speaks', () => {
    const watch = new SilenceWatch();
    notices(watch, 0, 5 * SECOND_PIECES);
    notices(watch, 0.001, 1);
    expect(notices(watch, 0, 60 * SECOND_PIECES)).toBe(0);
  });
});

describe('the voice in a call', () => {
  let input;
  let talk;
  let told;

  beforeEach(() => {
    const comfort = Object.assign(new Emitter(), {
      values: { talk_mode: 'open', barge_in: 'off', sensitivity: 'normal' },
    });
    talk = new Emitter();
    input = Object.assign(new Emitter(), { muted: false, hasFile: false });
    told = vi.fn();
    const voice = new CallVoice({
      comfort,
      talk,
      player: {},
      storage: { getText: () => null },
      controls: new Emitter(),
      isHeard: () => true,
      modelSpeaks: () => false,
    });
    voice.on('silent', told);
    voice.begin(input);
  });

  function hear(level, seconds) {
    for (let index = 0; index < seconds * SECOND_PIECES; index += 1) {
      input.emit('sound', { samples: piece(level), endMs: index * 20 });
    }
  }

  it('is missed where the microphone gives nothing', () => {
    hear(0, 9);
    expect(told).toHaveBeenCalledOnce();
  });

  it.each(['muted', 'hasFile'])('is not missed where the input is %s', (reason) => {
    input[reason] = true;
    hear(0, 9);
    expect(told).not.toHaveBeenCalled();
  });
});
