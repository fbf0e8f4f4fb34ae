// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import callWords from '../../static/i18n/call-en.js';
import moreWords from '../../static/i18n/call-more-en.js';
import { translator } from '../../static/i18n/index.js';
import { CallFigures, levelOf } from '../../static/lib/call-figures.js';
import { LatencyStats } from '../../static/lib/latency-stats.js';
import { MetricsPanel } from '../../static/ui/metrics-panel.js';
import { listen, spoken } from './fake-call.js';
import { speakEnglish } from './fakes.js';

describe('the latency of a call', () => {
  it('is the median of the last five answers', () => {
    const stats = new LatencyStats();
    expect(stats.responseMs).toBe(null);
    [9000, 500, 700, 600, 900, 800].forEach((latencyMs, turn) => {
      stats.answered(turn * 10_000 + latencyMs, turn * 10_000);
    });
    expect(stats.responseMs).toBe(700);
    expect(stats.slowResponseMs).toBeGreaterThan(6000);
  });

  it('is not measured where nobody had spoken, nor twice for one question', () => {
    const stats = new LatencyStats();
    stats.answered(1000, null);
    stats.answered(1000, 400);
    stats.answered(5000, 400);
    expect(stats.responseMs).toBe(600);
  });

  it('follows each second of the service, and the drift of both clocks', () => {
    const stats = new LatencyStats();
    const unit = (result, receivedMs) => stats.unit(result, { receivedMs, roundTripMs: 500 });
    unit(listen({ serverSendMs: 1000 }), 6000);
    unit(listen({ serverSendMs: 2000, wallClockMs: 450 }), 7120);
    unit(listen({ skipped: true, wallClockMs: 1 }), 9999);
    expect([stats.driftMs, stats.unitMs, stats.roundTripMs]).toEqual([120, 450, 500]);
    unit(spoken('Hello'), 8120);
    unit(spoken(' there'), 9120);
    expect(stats.firstSpeechMs).toBe(1000);
  });
});

describe('the figures of a call', () => {
  it('keep a minute and no more', () => {
    const figures = new CallFigures();
    for (let index = 0; index < 100; index += 1) figures.record({ unit_ms: index, response_ms: null });
    expect(figures.series.unit_ms).toHaveLength(60);
    expect(figures.series.unit_ms.at(-1)).toBe(99);
    expect(JSON.parse(figures.asJson())).toMatchObject({ values: { unit_ms: 99, response_ms: null } });
  });

  it.each([
    ['unit_ms', [699, 'good'], [700, 'fair'], [1000, 'poor']],
    ['first_speech_ms', [999, 'good'], [1999, 'fair'], [2000, 'poor']],
    ['context_percent', [49, 'good'], [50, 'fair'], [80, 'poor']],
    ['vision_slices', [1, 'good'], [9, 'fair']],
    ['shift_ms', [0, 'good'], [199, 'fair'], [200, 'poor']],
    ['drift_ms', [-49, 'good'], [-199, 'fair'], [200, 'poor']],
    ['hold_ms', [200, null]],
  ])('%s is judged by its limits', (name, ...cases) => {
    for (const [value, level] of cases) expect(levelOf(name, { [name]: value }), value).toBe(level);
  });

  it('judge the sound ahead only while the model speaks, and by its gaps first', () => {
    const ahead = (aheadMs, gaps = 0) => levelOf('ahead_ms', { ahead_ms: aheadMs, gaps, speaking: true });
    expect([ahead(201), ahead(100), ahead(50), ahead(900, 1)]).toEqual(['good', 'fair', 'poor', 'poor']);
    expect(levelOf('ahead_ms', { ahead_ms: 0, gaps: 0, speaking: false })).toBe(null);
  });
});

describe('the panel', () => {
  const names = ['state', 'unit_ms', 'context_percent', 'vision_slices'];
  let container;
  let onCopy;

  beforeEach(async () => {
    await speakEnglish(translator);
    await translator.add({ en: async () => ({ default: { ...callWords, ...moreWords } }) });
    container = document.createElement('div');
    onCopy = vi.fn();
    const panel = new MetricsPanel(container, { names, onCopy });
    const figures = new CallFigures();
    figures.record({ unit_ms: 500 });
    figures.record({
      state: 'live', unit_ms: 1200.4, cost_ms: 800, context_percent: 12.3, context_tokens: 984,
      vision_slices: null,
    });
    panel.show(figures);
  });

  const row = (index) => container.querySelectorAll('details')[index];
  const valueOf = (index) => row(index).querySelector('.metric-value');

  it('says what each is, how good, and what it means', () => {
    expect(valueOf(1).textContent).toBe('1,200 ms (800 ms)');
    expect(valueOf(2).textContent).toBe('12 % (984 tokens)');
    expect(valueOf(3).textContent).toBe('–');
    expect(row(1).querySelector('.help').textContent).toContain('falls behind');
  });

  it('tells a level by a word, too', () => {
    expect(valueOf(1).dataset.level).toBe('poor');
    expect(row(1).querySelector('.visually-hidden').textContent).toBe('Poor');
    expect(valueOf(3).dataset.level).toBe(undefined);
  });

  it('draws how it has been', () => {
    const points = row(1).querySelector('polyline').getAttribute('points').split(' ');
    expect(points).toHaveLength(2);
    expect(points[1]).toBe('96,0');
    expect(row(0).querySelector('polyline')).toBe(null);
  });

  it('can be copied', () => {
    container.querySelector('.metrics-copy').click();
    expect(onCopy).toHaveBeenCalledOnce();
  });
});
