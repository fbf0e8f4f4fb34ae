// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import moreWords from '../../static/i18n/call-more-en.js';
import { translator } from '../../static/i18n/index.js';
import { findEcho, sweep } from '../../static/lib/echo.js';
import { measureSocket } from '../../static/net/socket-probe.js';
import { keepEcho, mayInterrupt } from '../../static/state/comfort-settings.js';
import { SafeStorage } from '../../static/state/storage.js';
import { SelfTestDialog } from '../../static/ui/self-test.js';
import { FakeSocket, MemoryStorage, speakEnglish } from './fakes.js';

const RATE = 16_000;

describe('the echo', () => {
  const played = sweep(RATE, 1);
  let chance;

  beforeEach(() => {
    chance = 1;
  });

  /** The same noise in every run. */
  const noise = () => {
    chance = (chance * 48_271) % 2_147_483_647;
    return chance / 2_147_483_647 - 0.5;
  };
  const record = (gain, delay, loudness) =>
    Float32Array.from({ length: 1.5 * RATE }, (_, index) =>
      gain * (played[index - delay] ?? 0) + loudness * noise(),
    );

  it('is found where the loudspeaker is in the microphone, however late', () => {
    expect(findEcho(record(0.1, 3333, 0.02), played)).toMatchObject({ heard: true });
  });

  it.each([['noise', 0.1], ['silence', 0]])('is not found in %s', (_, loudness) => {
    const { heard, likeness } = findEcho(record(0, 0, loudness), played);
    expect(heard).toBe(false);
    expect(likeness).toBeLessThan(0.1);
  });

  it('switches interrupting off by itself, and not against the visitor', () => {
    const storage = new SafeStorage(() => new MemoryStorage());
    expect(mayInterrupt({ barge_in: 'auto' }, storage)).toBe(true);
    keepEcho(storage, true);
    const answers = ['auto', 'on', 'off'].map((choice) => mayInterrupt({ barge_in: choice }, storage));
    expect(answers).toEqual([false, true, false]);
    keepEcho(storage, false);
    expect(mayInterrupt({ barge_in: 'auto' }, storage)).toBe(true);
  });
});

describe('the line', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.opened = [];
  });

  afterEach(() => vi.useRealTimers());

  it('is measured without a word, and let go', async () => {
    const measured = measureSocket('wss://host/ws/chat', FakeSocket);
    vi.advanceTimersByTime(40);
    const [socket] = FakeSocket.opened;
    socket.accept();
    expect(await measured).toBeCloseTo(40, 0);
    expect([socket.closed, socket.sent]).toEqual([true, []]);
  });

  it.each([
    ['refused', 'unreachable', () => FakeSocket.opened[0].hangUp()],
    ['silent', 'timeout', () => vi.advanceTimersByTime(4000)],
  ])('that is %s is told', async (_, code, happen) => {
    const measured = measureSocket('wss://host/ws/chat', FakeSocket);
    happen();
    await expect(measured).rejects.toMatchObject({ code });
  });
});

describe('the dialog', () => {
  let dialog;

  beforeEach(async () => {
    document.body.replaceChildren();
    await speakEnglish(translator);
    await translator.add({ en: async () => ({ default: moreWords }) });
    dialog = new SelfTestDialog(document.body, ['page', 'microphone']);
    dialog.begin();
  });

  const row = (name) => document.querySelector(`[data-check=${name}]`);

  it('says of each part how it is and what to do', () => {
    dialog.show('microphone', 'fair', 'check.microphone_faint', { decibels: -52 });
    expect(row('microphone').dataset.state).toBe('fair');
    expect(row('microphone').textContent).toContain('You are heard faintly (-52 dB). Move closer');
    expect(row('page').textContent).toContain('Not checked yet');
  });

  it('can be done again once it is over', () => {
    const again = document.querySelector('.button.primary');
    expect(again.disabled).toBe(true);
    dialog.finish(false);
    expect(again.disabled).toBe(false);
    expect(document.querySelector('[role=status]').textContent).toContain('could be better');
  });
});
