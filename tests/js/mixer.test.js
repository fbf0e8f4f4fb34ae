// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { gainFor, mixGains, PeakHold } from '../../static/lib/gain-model.js';
import { openMixerSettings } from '../../static/state/mixer-settings.js';
import { SafeStorage } from '../../static/state/storage.js';
import { MixerPanel } from '../../static/ui/mixer-panel.js';

const decibels = (gain) => 20 * Math.log10(gain);

describe('gains', () => {
  const mix = {
    kind: 'both',
    fileLufs: -20,
    microphoneLufs: -23,
    fileTrimDb: 0,
    microphoneTrimDb: 0,
    monitorPercent: 50,
  };

  it('bring a sound to its target, and trim it', () => {
    expect(decibels(gainFor({ targetLufs: -28, measuredLufs: -20, trimDb: 3 }))).toBeCloseTo(-5);
  });

  it('leave silence as it is', () => {
    expect(gainFor({ targetLufs: -28, measuredLufs: -Infinity, trimDb: 0 })).toBe(1);
  });

  it('make a file quieter when somebody talks over it', () => {
    expect(decibels(mixGains(mix).file)).toBeCloseTo(-13);
    expect(decibels(mixGains({ ...mix, kind: 'file' }).file)).toBeCloseTo(-8);
  });

  it('even out a microphone that was measured, in a mix only', () => {
    const measured = { ...mix, microphoneLufs: -35, microphoneTrimDb: 2 };
    expect(decibels(mixGains(measured).microphone)).toBeCloseTo(14);
    expect(mixGains({ ...measured, kind: 'live' }).microphone).toBe(1);
  });

  it('let the visitor hear the file without a change for the model', () => {
    const quiet = mixGains({ ...mix, monitorPercent: 0 });
    expect(quiet).toEqual({ ...mixGains(mix), monitor: 0 });
  });
});

describe('a meter', () => {
  it('holds its peak, then lets it fall', () => {
    const peak = new PeakHold();
    peak.push(-6, 0);
    peak.push(-30, 1000);
    expect(peak.peakDb(1500)).toBe(-6);
    expect(peak.peakDb(2500)).toBeCloseTo(-26);
    peak.push(-20, 2500);
    expect(peak.peakDb(2500)).toBe(-20);
  });

  it('lights up for two seconds when a sound clips', () => {
    const peak = new PeakHold();
    peak.push(-1.1, 0);
    expect(peak.clipped(0)).toBe(false);
    peak.push(-0.9, 100);
    expect([peak.clipped(2000), peak.clipped(2200)]).toEqual([true, false]);
  });
});

it('the mixer keeps its trims, and nothing that is out of range', () => {
  const storage = new SafeStorage(() => localStorage);
  const mix = openMixerSettings('omni', storage);
  expect([mix.set('file_trim_db', -12), mix.set('file_trim_db', 13)]).toEqual([true, false]);
  mix.flush();
  expect(openMixerSettings('omni', storage).values.file_trim_db).toBe(-12);
});

describe('the panel', () => {
  const press = (key) =>
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
  let panel;

  beforeEach(async () => {
    document.body.replaceChildren();
    localStorage.clear();
    const storage = new SafeStorage();
    const pageWords = { en: () => import('../../static/i18n/call-en.js') };
    await translator.start({ document, location, navigator, storage, pageWords });
    await translator.add({
      en: () => import('../../static/i18n/studio-en.js'),
      zh: () => import('../../static/i18n/studio-zh.js'),
    });
    panel = new MixerPanel(document.body);
  });

  it('closes with Esc, which the call does not hear, and gives the focus back', () => {
    const button = document.createElement('button');
    document.body.append(button);
    button.focus();
    const call = vi.fn();
    document.addEventListener('keydown', call);
    panel.open();
    press('Escape');
    expect(panel.shown).toBe(false);
    expect(call).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(button);
    press('Escape');
    expect(call).toHaveBeenCalledOnce();
  });

  it('has sliders that keys can move', () => {
    const moved = vi.fn();
    panel.on('file-trim', moved);
    const slider = document.querySelector('#mixer-file-trim');
    expect(slider.type).toBe('range');
    slider.value = '-4';
    slider.dispatchEvent(new Event('input'));
    expect(moved).toHaveBeenCalledWith(-4);
  });

  it('says how loud everything is', () => {
    panel.show({ 'file-trim': -3, 'microphone-trim': 2, monitor: 40 });
    panel.meters.mix.show({ rmsDb: -30, peakDb: -0.5 }, 0);
    const texts = [...document.querySelectorAll('output')].map(({ textContent }) => textContent);
    expect(texts).toEqual(['-3 dB', '2 dB', '40 %']);
    const meter = document.querySelectorAll('[role=meter]')[2];
    expect(meter.getAttribute('aria-valuenow')).toBe('-30');
    expect(document.querySelectorAll('.clip-light.on')).toHaveLength(1);
  });
});
