// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { Emitter } from '../../static/lib/emitter.js';
import { CallNotices } from '../../static/pages/call-notices.js';
import { SettingsSheet } from '../../static/pages/settings-sheet.js';
import { askToRecord } from '../../static/pages/shell.js';
import { RecordingConsent } from '../../static/state/consent.js';
import { SettingsStore } from '../../static/state/settings.js';
import { SafeStorage } from '../../static/state/storage.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

const blocked = () => {
  throw new Error('storage is blocked');
};

let memory;
let consent;

const reopened = () => new RecordingConsent(new SafeStorage(() => memory));
const defaults = (recording) => Promise.resolve({ recording });
const dialog = () => document.querySelector('dialog.confirm');

beforeEach(async () => {
  await speakEnglish(translator);
  document.body.replaceChildren();
  memory = new MemoryStorage();
  consent = reopened();
});

describe('the answer', () => {
  it('is open at first, and that is no consent', () => {
    expect([consent.answer, consent.given]).toEqual([null, false]);
  });

  it.each([[true, 'yes'], [false, 'no']])('%s is kept as %s', (given, stored) => {
    consent.keep(given);
    expect(memory.getItem('minicpmo_recording')).toBe(stored);
    expect([reopened().answer, reopened().given]).toEqual([given, given]);
  });

  it('that is none of ours does not count', () => {
    memory.setItem('minicpmo_recording', 'maybe');
    expect(consent.answer).toBe(null);
  });

  it('of another tab counts at once', () => {
    consent.keep(true);
    reopened().keep(false);
    expect(consent.given).toBe(false);
  });

  it('holds as long as the page where nothing can be stored', () => {
    consent = new RecordingConsent(new SafeStorage(blocked));
    consent.keep(true);
    expect(consent.given).toBe(true);
  });
});

describe('the question', () => {
  const ask = (recording = true) => askToRecord({ consent, defaults: defaults(recording) });

  const askedAndClosedWith = async (value) => {
    const asked = ask();
    await vi.waitUntil(() => dialog());
    dialog().close(value);
    await asked;
  };

  it.each([['yes', true], ['no', false]])('answered with %s is kept', async (value, answer) => {
    await askedAndClosedWith(value);
    expect(dialog()).toBe(null);
    expect(reopened().answer).toBe(answer);
  });

  it('that is closed is a no until the page is opened again', async () => {
    await askedAndClosedWith('');
    expect(consent.answer).toBe(false);
    expect(reopened().answer).toBe(null);
    await ask();
    expect(dialog()).toBe(null);
  });

  it('is not asked where the service does not record, or cannot say so', async () => {
    await ask(false);
    await askToRecord({ consent, defaults: Promise.resolve({}) });
    expect(dialog()).toBe(null);
    expect(consent.answer).toBe(null);
  });

  it('is not asked where there is an answer', async () => {
    consent.keep(false);
    await ask();
    expect(dialog()).toBe(null);
  });
});

describe('the switch in the settings', () => {
  const openSheet = async (recording) => {
    document.body.innerHTML =
      '<dialog id="settings"><form><div id="record-field" hidden></div></form>' +
      '<button id="reset-settings"></button></dialog>';
    const settings = new SettingsStore('page_settings', 1, [], new SafeStorage(() => memory));
    const shell = { consent, defaults: defaults(recording), toaster: { news: vi.fn() } };
    const sheet = new SettingsSheet({ shell, settings });
    await shell.defaults;
    sheet.open();
    return document.getElementById('record');
  };

  it('shows the answer and changes it', async () => {
    consent.keep(true);
    const input = await openSheet(true);
    expect(document.getElementById('record-field').hidden).toBe(false);
    expect(input.checked).toBe(true);
    input.click();
    expect(reopened().answer).toBe(false);
  });

  it('is not there where the service does not record', async () => {
    expect(await openSheet(false)).toBe(null);
    expect(document.getElementById('record-field').hidden).toBe(true);
  });
});

it('a recording that broke off is told once in a call', () => {
  const [machine, toaster] = [new Emitter(), { news: vi.fn() }];
  const banners = { toggle: vi.fn() };
  const container = document.createElement('div');
  const parts = { player: {}, voice: new Emitter(), remedies: {} };
  new CallNotices({ container, shell: { banners, toaster }, machine, ...parts });
  const told = () => toaster.news.mock.calls.length;
  for (let count = 0; count < 3; count += 1) machine.emit('note', { text: 'The disk is full' });
  expect(toaster.news.mock.calls).toEqual([['call.service_note', { text: 'The disk is full' }]]);
  machine.emit('state', { state: 'opening' });
  machine.emit('note', { text: 'The disk is full' });
  expect(told()).toBe(2);
});
