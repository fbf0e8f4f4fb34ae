// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Player } from '../../static/audio/player.js';
import { translator } from '../../static/i18n/index.js';
import { SpeechController } from '../../static/pages/speech-controller.js';
import { SpeechOnDemand } from '../../static/pages/speech-on-demand.js';
import { AnswerView } from '../../static/ui/answer-view.js';
import { FakeAudioContext, soundOf } from './fake-audio.js';
import { fakeFetch, speakEnglish } from './fakes.js';

const FINISH = { state: 'complete', facts: [{ key: 'chat.total', params: { seconds: 1 } }] };

let speech;
let view;
let onStop;

beforeEach(async () => {
  await speakEnglish(translator);
  vi.useFakeTimers();
  vi.stubGlobal('fetch', fakeFetch({ '/api/frontend_defaults': [200, { playback_delay_ms: 100 }] }));
  FakeAudioContext.opened = [];
  onStop = vi.fn(() => speech.stop());
  document.body.replaceChildren();
  const player = new Player({ playbackDelayMs: 200, Context: FakeAudioContext });
  speech = new SpeechController({ onStop, player });
  view = new AnswerView({ onCopy() {}, onRegenerate() {} });
  document.body.append(view.element);
});

afterEach(() => vi.useRealTimers());

const context = () => FakeAudioContext.opened.at(-1);
const button = (name) => view.element.querySelector(`button[title="${name}"]`);
const facts = () => [...view.element.querySelectorAll('.facts li')].map((fact) => fact.textContent);

function pass(durationMs) {
  for (let ms = 0; ms < durationMs; ms += 10) {
    context().pass(10);
    vi.advanceTimersByTime(10);
  }
}

function speak(...durationsMs) {
  speech.begin(view);
  for (const durationMs of durationsMs) speech.hear(soundOf(durationMs));
}

describe('a spoken answer', () => {
  it('sounds by itself, and leaves a player with a WAV file below the words', async () => {
    speak(500, 500);
    expect(view.element.querySelector('.speaking').textContent).toContain('Speaking');
    pass(800);
    expect(view.element.querySelector('.pill-time').textContent).toBe('0:00');
    view.finish(FINISH);
    speech.end();
    expect(speech.speaking).toBe(true);
    pass(500);
    expect(speech.speaking).toBe(false);
    expect(view.element.querySelector('.speaking')).toBe(null);
    expect(view.element.querySelector('.audio-pill .pill-time').textContent).toBe('0:01');
    const link = view.element.querySelector('a[download="answer.wav"]');
    const file = await fetchBlob(link.href);
    expect(file).toMatchObject({ type: 'audio/wav', size: 44 + 2 * 24_000 });
    expect(facts()).toEqual(['1 s in all', 'spoken without gaps']);
  });

  it('says how many gaps were heard', () => {
    speak(200);
    pass(1000);
    speech.hear(soundOf(200));
    view.finish(FINISH);
    speech.end();
    pass(500);
    expect(facts().at(-1)).toMatch(/^spoken with 1 gap of 0\.[67] s$/);
  });

  it('without any sound leaves nothing', () => {
    speak();
    view.finish(FINISH);
    speech.end();
    expect(view.element.querySelector('.audio-pill')).toBe(null);
    expect(facts()).toEqual(['1 s in all']);
    expect(speech.stop()).toBe(null);
  });

  it('can wait and go on', () => {
    speak(1000);
    pass(520);
    button('Pause').click();
    expect(view.element.querySelector('.speaking').textContent).toContain('Paused');
    pass(5000);
    button('Go on').click();
    pass(200);
    expect(view.element.querySelector('.speaking').textContent).toContain('Speaking');
    expect(speech.stop()).toBeGreaterThan(400);
  });

  it('waits while something else on the page is played', () => {
    speak(1000);
    pass(400);
    view.element.dispatchEvent(new Event('play'));
    expect(context().state).toBe('suspended');
  });

  it('asks for a click when the browser keeps it silent', () => {
    speech.begin(view);
    context().change('suspended');
    context().resume = async () => {};
    speech.hear(soundOf(1000));
    vi.advanceTimersByTime(400);
    expect(view.element.querySelector('.speaking').textContent).toContain('Speaking');
    vi.advanceTimersByTime(400);
    expect(view.element.querySelector('.speaking').textContent).toContain('Press play to hear it');
    context().resume = async () => context().change('running');
    button('Go on').click();
    expect(context().state).toBe('running');
  });

  it('that is stopped says how much was heard and keeps what came', () => {
    speak(500, 500);
    pass(600);
    button('Stop (Esc)').focus();
    button('Stop (Esc)').click();
    expect(onStop).toHaveBeenCalledOnce();
    expect(onStop.mock.results[0].value).toBeGreaterThan(300);
    view.finish({ state: 'stopped', facts: [] });
    expect(view.element.querySelector('.audio-pill .pill-time').textContent).toBe('0:01');
    expect(document.activeElement).toBe(button('Play Spoken answer'));
    expect(facts()).toEqual(['Stopped']);
    speech.hear(soundOf(500));
    expect(context().sources).toHaveLength(2);
  });

  it('makes way for the next one', () => {
    speak(1000);
    pass(400);
    const first = view;
    view = new AnswerView({ onCopy() {}, onRegenerate() {} });
    speak(1000);
    expect(first.element.querySelector('a[download]')).not.toBe(null);
    expect(view.element.querySelector('.speaking')).not.toBe(null);
    expect(speech.speaking).toBe(true);
  });
});

describe('the delay', () => {
  it('is that of the service', async () => {
    await vi.waitFor(() => {
      speak(500);
      vi.advanceTimersByTime(110);
      expect(context().sources).toHaveLength(1);
    });
  });
});

describe('speech on demand', () => {
  let opened;
  let loaded;
  let onFailure;
  let lazy;

  beforeEach(() => {
    opened = undefined;
    loaded = { begin: vi.fn(), hear: vi.fn(), end: vi.fn(), stop: vi.fn(() => 5) };
    onFailure = vi.fn();
    const open = () => new Promise((resolve, reject) => (opened = { resolve, reject }));
    lazy = new SpeechOnDemand({ open, onFailure });
  });

  it('does what came before it was loaded, in order', async () => {
    lazy.begin(view);
    lazy.hear(1);
    lazy.end();
    opened.resolve(loaded);
    await lazy.prepare();
    await Promise.resolve();
    expect(loaded.begin).toHaveBeenCalledWith(view);
    expect(loaded.hear.mock.calls).toEqual([[1]]);
    expect(loaded.end).toHaveBeenCalledOnce();
    lazy.hear(2);
    expect(loaded.hear).toHaveBeenLastCalledWith(2);
    expect(lazy.stop()).toBe(5);
  });

  it('forgets what was stopped before it was loaded', async () => {
    lazy.begin(view);
    expect(lazy.stop()).toBe(null);
    opened.resolve(loaded);
    await lazy.prepare();
    await Promise.resolve();
    expect(loaded.begin).not.toHaveBeenCalled();
  });

  it('loads nothing for an answer that is not spoken', () => {
    lazy.end();
    lazy.release();
    expect(opened).toBeUndefined();
  });

  it('that cannot be loaded is told, and tried again', async () => {
    lazy.begin(view);
    opened.reject(new TypeError('offline'));
    await vi.waitFor(() => expect(onFailure.mock.calls[0][0].code).toBe('unreachable'));
    lazy.begin(view);
    opened.resolve(loaded);
    await vi.waitFor(() => expect(loaded.begin).toHaveBeenCalledOnce());
  });
});

async function fetchBlob(url) {
  const { resolveObjectURL } = await import('node:buffer');
  return resolveObjectURL(url);
}
