// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { WARM_MS, WarmMicrophone } from '../../static/audio/warm-microphone.js';
import { translator } from '../../static/i18n/index.js';
import { Failure } from '../../static/lib/failure.js';
import { CANCEL_PX, HoldGesture, SLIP_MS } from '../../static/lib/hold-gesture.js';
import { HoldToTalk } from '../../static/pages/hold-to-talk.js';
import { speakEnglish } from './fakes.js';

const WORDS = { en: () => import('../../static/i18n/chat-en.js') };

describe('a hold', () => {
  let gesture;

  beforeEach(() => {
    gesture = new HoldGesture();
    gesture.press(0, 500);
  });

  it('is sent when it is released', () => {
    expect(gesture.release(SLIP_MS)).toBe('send');
    expect(gesture.release(SLIP_MS)).toBe(null);
  });

  it('that ends at once is a slip', () => {
    expect(gesture.release(SLIP_MS - 1)).toBe('slip');
  });

  it('that slid up far enough is given up, unless the finger comes back', () => {
    expect(gesture.move(500 - CANCEL_PX)).toBe(false);
    expect(gesture.move(500 - CANCEL_PX - 1)).toBe(true);
    expect(gesture.move(480)).toBe(false);
    gesture.move(0);
    expect(gesture.release(1000)).toBe('cancel');
  });
});

describe('holding to talk', () => {
  const SOUND = Float32Array.of(0.5, -0.5);
  let hold;
  let heard;
  let microphone;
  let recording;
  let toaster;

  beforeEach(async () => {
    vi.useFakeTimers();
    document.body.replaceChildren();
    await speakEnglish(translator);
    await translator.add(WORDS);
    navigator.vibrate = vi.fn();
    recording = { stop: vi.fn(async () => SOUND), discard: vi.fn(async () => {}) };
    microphone = { record: vi.fn(async () => recording), done: vi.fn(), release: vi.fn() };
    toaster = { failure: vi.fn() };
    heard = vi.fn();
    hold = new HoldToTalk({ toaster, microphone, onPress: vi.fn(), onClip: heard });
    document.body.replaceChildren(hold.button.element);
  });

  afterEach(() => vi.useRealTimers());

  const touch = (type, timeStamp, clientY = 500) => {
    const event = new Event(type);
    Object.defineProperties(event, { timeStamp: { value: timeStamp }, clientY: { value: clientY } });
    hold.button.element.dispatchEvent(event);
    return vi.advanceTimersByTimeAsync(0);
  };
  const words = () => hold.button.element.textContent;

  it('sends what was said, and keeps the microphone warm', async () => {
    await touch('pointerdown', 0);
    expect(navigator.vibrate).toHaveBeenCalledWith(15);
    expect(words()).toContain('Release to send');
    await touch('pointerup', 900);
    expect(heard).toHaveBeenCalledWith(SOUND);
    expect(microphone.done).toHaveBeenCalledOnce();
    expect(words()).toBe('Hold to talk');
  });

  it.each([
    ['slid up', [['pointermove', 300, 400]], 900],
    ['released at once', [], 100],
  ])('sends nothing and says nothing when it was %s', async (_, moves, releaseMs) => {
    await touch('pointerdown', 0);
    for (const [type, timeMs, y] of moves) await touch(type, timeMs, y);
    await touch('pointerup', releaseMs);
    expect(recording.discard).toHaveBeenCalledOnce();
    expect(heard).not.toHaveBeenCalled();
    expect(toaster.failure).not.toHaveBeenCalled();
  });

  it('shows that a release would give up', async () => {
    await touch('pointerdown', 0);
    await touch('pointermove', 300, 400);
    expect(words()).toContain('Release to cancel');
    expect(hold.button.element.hasAttribute('data-cancel')).toBe(true);
  });

  it.each([[[]], [[0, 0]]])('says so when no sound arrived (%j)', async (samples) => {
    recording.stop.mockResolvedValue(Float32Array.from(samples));
    await touch('pointerdown', 0);
    await touch('pointerup', 900);
    expect(toaster.failure).toHaveBeenCalledWith(expect.objectContaining({ code: 'clip_silent' }));
  });

  it('tells why the microphone does not open', async () => {
    microphone.record.mockRejectedValue(new Failure('mic_denied'));
    await touch('pointerdown', 0);
    expect(toaster.failure).toHaveBeenCalledWith(expect.objectContaining({ code: 'mic_denied' }));
    await touch('pointerup', 900);
    expect(heard).not.toHaveBeenCalled();
  });

  it('lets go of the microphone when it is left', async () => {
    await touch('pointerdown', 0);
    hold.leave();
    await vi.advanceTimersByTimeAsync(0);
    expect(recording.discard).toHaveBeenCalledOnce();
    expect(microphone.release).toHaveBeenCalledOnce();
  });
});

describe('a warm microphone', () => {
  it('is opened once for words that follow each other, and let go a minute after', async () => {
    vi.useFakeTimers();
    const track = { readyState: 'live', stop: vi.fn() };
    const stream = { getTracks: () => [track], getAudioTracks: () => [track] };
    const opened = { open: vi.fn(async () => stream), record: vi.fn(async () => ({})) };
    const warm = new WarmMicrophone(opened);
    await warm.record({});
    warm.done();
    vi.advanceTimersByTime(WARM_MS - 1);
    await warm.record({});
    expect(opened.open).toHaveBeenCalledOnce();
    expect(opened.record).toHaveBeenLastCalledWith({ stream });
    warm.done();
    vi.advanceTimersByTime(WARM_MS);
    expect(track.stop).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });
});
