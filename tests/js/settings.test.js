import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SettingsStore } from '../../static/state/settings.js';
import { SafeStorage } from '../../static/state/storage.js';
import { openTurnbasedSettings } from '../../static/state/turnbased-settings.js';
import { MemoryStorage } from './fakes.js';

const FIELDS = [
  { key: 'delay', type: 'number', default: 200, min: 0, max: 2000, step: 50 },
  { key: 'count', type: 'number', default: 4, min: 1, max: 9, step: 1 },
  { key: 'on', type: 'boolean', default: true },
  { key: 'words', type: 'text', default: '', maxLength: 5 },
];

let memory;
let storage;

beforeEach(() => {
  vi.useFakeTimers();
  memory = new MemoryStorage();
  storage = new SafeStorage(() => memory);
});

afterEach(() => vi.useRealTimers());

const open = (version = 1) => new SettingsStore('page', version, FIELDS, storage);
const stored = () => JSON.parse(memory.getItem('page'));

describe('settings', () => {
  it('start with their defaults', () => {
    expect(open().values).toEqual({ delay: 200, count: 4, on: true, words: '' });
  });

  it('are kept 300 ms after the last change, with a version', () => {
    const store = open();
    store.set('delay', 100);
    vi.advanceTimersByTime(299);
    store.set('on', false);
    vi.advanceTimersByTime(299);
    expect(stored()).toBe(null);
    vi.advanceTimersByTime(1);
    expect(stored()).toEqual({ v: 1, delay: 100, count: 4, on: false, words: '' });
    expect(open().values).toMatchObject({ delay: 100, on: false });
  });

  it('are kept at once when asked to', () => {
    const store = open();
    store.set('count', 5);
    store.flush();
    expect(stored().count).toBe(5);
  });

  it('take zero where zero is in range', () => {
    const store = open();
    expect(store.set('delay', 0)).toBe(true);
    store.flush();
    expect(open().values.delay).toBe(0);
  });

  it.each([
    ['delay', -1],
    ['delay', 2001],
    ['delay', NaN],
    ['delay', '100'],
    ['count', 2.5],
    ['on', 'yes'],
    ['words', 'longer'],
    ['words', null],
    ['other', 1],
  ])('refuse %s = %j and keep what they have', (key, value) => {
    const store = open();
    expect(store.set(key, value)).toBe(false);
    expect(store.values).toEqual({ delay: 200, count: 4, on: true, words: '' });
  });

  it.each(['not JSON', 'null', '[]', '7', '{"v":1,"delay":99999,"on":1}'])(
    'survive %s in the store',
    (text) => {
      memory.setItem('page', text);
      expect(open().values).toEqual({ delay: 200, count: 4, on: true, words: '' });
    },
  );

  it('are not read from another version', () => {
    open(1).flush();
    memory.setItem('page', JSON.stringify({ ...stored(), delay: 50 }));
    expect(open(1).values.delay).toBe(50);
    expect(open(2).values.delay).toBe(200);
  });

  it('tell of changes, and cannot be changed from outside', () => {
    const store = open();
    const told = vi.fn();
    store.on('change', told);
    store.set('count', 9);
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ count: 9 }));
    store.values.count = 1;
    expect(store.values.count).toBe(9);
  });

  it('go back to their defaults, also in the store', () => {
    const store = open();
    store.set('count', 9);
    store.reset();
    vi.advanceTimersByTime(1000);
    expect(store.values.count).toBe(4);
    expect(memory.getItem('page')).toBe(null);
  });
});

describe('the store of a browser', () => {
  it.each([
    ['is blocked', () => { throw new DOMException('denied', 'SecurityError'); }],
    ['is full', () => ({ getItem: () => null, setItem() { throw new Error('quota'); } })],
    ['is missing', () => undefined],
  ])('that %s counts as empty and never throws', (_, openStore) => {
    const safe = new SafeStorage(openStore);
    expect(safe.setJson('a', 1)).toBe(false);
    expect(safe.getJson('a')).toBe(null);
    expect(() => safe.remove('a')).not.toThrow();
  });
});

it('the turn-based page stays within what the service accepts', () => {
  const settings = openTurnbasedSettings(storage);
  expect(settings.values).toMatchObject({ streaming: true, max_new_tokens: 1024 });
  expect(settings.set('max_new_tokens', 2049)).toBe(false);
  expect(settings.set('max_new_tokens', 1)).toBe(true);
  expect(settings.set('length_penalty', 0.1)).toBe(true);
});
