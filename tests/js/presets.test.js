// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { bytesToBase64 } from '../../static/lib/base64.js';
import { Emitter } from '../../static/lib/emitter.js';
import { Failure } from '../../static/lib/failure.js';
import { readPresetFile, writePresetFile } from '../../static/lib/preset-file.js';
import { voiceIn, wireItems } from '../../static/lib/system-content.js';
import { PresetController } from '../../static/pages/preset-controller.js';
import { SafeStorage } from '../../static/state/storage.js';
import { PresetBar } from '../../static/ui/preset-bar.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

const WORDS = { en: () => import('../../static/i18n/persona-en.js') };
const SECOND = bytesToBase64(new Uint8Array(4 * 16_000));
const VOICE = { data: SECOND, name: 'calm.wav', durationS: 1 };
const SERVED = [
  preset('helper', 'Helper', 'Help.', { data: null, name: 'helper.wav', durationS: 1 }),
  preset('pirate', 'Pirate', 'Arr.', { data: null, name: 'pirate.wav', durationS: 1 }),
  preset('mute', 'Mute', 'Hush.', null),
];

function preset(id, name, system_prompt, ref_audio) {
  return { id, mode: 'omni', name, description: `${name} it is`, system_prompt, ref_audio };
}

/** Keeps presets and drafts as the browser's database does. */
class MemoryDb {
  presets = [];
  drafts = {};
  list = async (mode) => this.presets.filter((kept) => kept.mode === mode);
  keep = async (kept) => {
    this.presets = [...this.presets.filter(({ id }) => id !== kept.id), kept];
  };
  remove = async (id) => {
    this.presets = this.presets.filter((kept) => kept.id !== id);
  };
  draft = async (mode) => this.drafts[mode] ?? null;
  keepDraft = async (mode, draft) => {
    this.drafts[mode] = draft;
  };
}

/** What a preset is brought into. */
class Target extends Emitter {
  parts = { system_prompt: 'Mine.', ref_audio: VOICE };
  opening = {};
  draft = { prompt: VOICE };
  showText = vi.fn();
  showVoices = vi.fn();
  clear = vi.fn();
}

let db;
let storage;
let target;
let answers; // id -> {resolve, reject} of what was asked of the service
let saved;
let container;
let presets;
let onFailure;
let list; // what the service offers

async function open() {
  target = new Target();
  answers = {};
  container = document.createElement('div');
  document.body.replaceChildren(container);
  const api = {
    loadPresets: () => list(),
    loadPresetVoices: (mode, id) => {
      answers[id] = Promise.withResolvers?.() ?? withResolvers();
      return answers[id].promise;
    },
  };
  const bar = new PresetBar(container);
  const confirm = async () => true;
  const save = (file) => (saved = file);
  const injected = { api, confirm, save, onFailure };
  presets = new PresetController({ mode: 'omni', bar, target, storage, db, ...injected });
  await presets.restore();
}

function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  await translator.add(WORDS);
  db = new MemoryDb();
  [onFailure, list] = [vi.fn(), async () => SERVED];
  const memory = new MemoryStorage();
  storage = new SafeStorage(() => memory);
  await open();
});

const chosen = () => container.querySelector('input[type=radio]:checked')?.value ?? null;
const names = () => [...container.querySelectorAll('.preset')].map((label) => label.textContent);
const notes = () => container.querySelector('[role=alert]').textContent;
const isLoading = () => !container.querySelector('[role=status]').hidden;
const press = (text) =>
  [...container.querySelectorAll('button')].find((one) => one.textContent === text).click();

function choose(id) {
  const input = [...container.querySelectorAll('input[type=radio]')].find(({ value }) => value === id);
  input.checked = true;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

async function saveAs(name) {
  container.querySelector('#preset-name').value = name;
  press('Save as a new preset');
  await vi.waitFor(() => expect(notes()).toContain(name));
}

describe('choosing a preset', () => {
  it('brings its text at once and its voice when that has come', async () => {
    choose('helper');
    expect(target.showText).toHaveBeenCalledWith(expect.objectContaining({ system_prompt: 'Help.' }));
    expect([isLoading(), presets.isBringing]).toEqual([true, true]);
    expect(target.showVoices).not.toHaveBeenCalled();
    answers.helper.resolve([VOICE]);
    await presets.ready();
    expect(target.showVoices).toHaveBeenCalledExactlyOnceWith([VOICE]);
    expect([isLoading(), presets.isBringing]).toEqual([false, false]);
  });

  it('drops the voice of one that is not chosen any more', async () => {
    choose('helper');
    choose('pirate');
    answers.pirate.resolve([{ ...VOICE, name: 'pirate.wav' }]);
    await presets.ready();
    answers.helper.resolve([VOICE]);
    await answers.helper.promise;
    expect(target.showVoices.mock.calls).toEqual([[[{ ...VOICE, name: 'pirate.wav' }]]]);
    expect(isLoading()).toBe(false);
  });

  it.each([
    ['cannot be loaded', ({ reject }) => reject(new Failure('timeout'))],
    ['has no file', ({ resolve }) => resolve([{ ...VOICE, data: null }])],
  ])('keeps the old voice when the new one %s, and says so', async (_, answer) => {
    choose('helper');
    answer(answers.helper);
    await presets.ready();
    expect(target.showVoices).not.toHaveBeenCalled();
    expect(notes()).toContain('The voice of Helper could not be loaded');
    expect(chosen()).toBe('helper');
  });

  it('asks for no voice where there is none', async () => {
    choose('mute');
    await presets.ready();
    expect(answers).toEqual({});
    expect(target.showVoices).toHaveBeenCalledWith([]);
  });

  it('is remembered', async () => {
    choose('pirate');
    await open();
    expect(chosen()).toBe('pirate');
    expect(target.showText).toHaveBeenCalledWith(expect.objectContaining({ system_prompt: 'Arr.' }));
  });

  it('says when what is remembered cannot be had', async () => {
    choose('pirate');
    list = () => Promise.reject(new Failure('timeout'));
    await open();
    expect(onFailure).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: 'timeout' }));
    list = async () => SERVED;
    target.offerVoices = () => {};
    await presets.opened();
    expect(names()).toEqual(['Helper', 'Pirate', 'Mute']);
  });

  it('ends when the visitor writes, and what was written comes back instead', async () => {
    vi.useFakeTimers();
    choose('mute');
    target.emit('edit', {});
    expect(chosen()).toBe(null);
    await vi.advanceTimersByTimeAsync(300);
    vi.useRealTimers();
    const { draft } = target;
    await open();
    expect(chosen()).toBe(null);
    expect(target.draft).toEqual(draft);
    expect(db.drafts.omni).toEqual(draft);
    expect(target.showText).not.toHaveBeenCalled();
  });

  it('is undone by a reset, and a voice on its way with it', async () => {
    choose('helper');
    presets.clear();
    answers.helper.resolve([VOICE]);
    await answers.helper.promise;
    expect(target.showVoices).not.toHaveBeenCalled();
    expect([chosen(), isLoading()]).toEqual([null, false]);
    await open();
    expect(target.showText).not.toHaveBeenCalled();
  });
});

describe('presets of ones own', () => {
  it('are made of what is in use, and survive', async () => {
    await saveAs('Captain');
    expect(names()).toEqual(['Helper', 'Pirate', 'Mute', 'Captain']);
    await open();
    expect(names()).toContain('Captain');
    expect(target.showVoices).toHaveBeenCalledWith([VOICE]);
    expect(answers).toEqual({});
  });

  it('can be renamed and deleted', async () => {
    await saveAs('Captain');
    container.querySelector('#preset-name').value = 'Admiral';
    press('Rename');
    await vi.waitFor(() => expect(names()).toContain('Admiral'));
    press('Delete');
    await vi.waitFor(() => expect(names()).toEqual(['Helper', 'Pirate', 'Mute']));
    expect(chosen()).toBe(null);
  });

  it('need a name', () => {
    press('Save as a new preset');
    expect(notes()).toContain('1 to 60 characters');
    expect(db.presets).toEqual([]);
  });

  it('say when the browser does not keep them', async () => {
    db.keep = async () => Promise.reject(new Failure('preset_not_kept'));
    await saveAs('Captain').catch(() => {});
    expect(notes()).toContain('The browser did not keep this');
    expect(names()).not.toContain('Captain');
  });

  it('go to a file and come back from it', async () => {
    await saveAs('Captain');
    press('Save to a file');
    const text = await saved.text();
    db.presets = [];
    const input = container.querySelector('input[type=file]');
    const file = { name: 'presets.json', size: text.length, text: async () => text };
    Object.defineProperty(input, 'files', { value: [file], configurable: true });
    input.dispatchEvent(new Event('change'));
    await vi.waitFor(() => expect(notes()).toBe('1 preset was loaded.'));
    expect(db.presets).toEqual([expect.objectContaining({ name: 'Captain', ref_audio: VOICE })]);
  });
});

describe('a file of presets', () => {
  const good = preset('x', 'A', 'b', VOICE);
  const told = { mode: 'turnbased', name: 'B', system_content: [{ type: 'audio', ...VOICE }] };
  const file = (change) => JSON.stringify({ format: 'minicpmo-presets', version: 1, presets: [change] });

  it('gives back what was put in, without ids', () => {
    const read = readPresetFile(writePresetFile([good, told]));
    expect(read[0]).toEqual({ ...good, id: undefined });
    expect(read[1]).toMatchObject(told);
  });

  it.each([
    ['no JSON', '{', ''],
    ['something else', '[]', 'format'],
    ['a later version', '{"format":"minicpmo-presets","version":2,"presets":[]}', 'version'],
    ['no presets', file(null), 'presets[0]'],
    ['a preset without a name', file({ ...good, name: ' ' }), 'presets[0].name'],
    ['an unknown mode', file({ ...good, mode: 'video' }), 'presets[0].mode'],
    ['a prompt that is too long', file({ ...good, system_prompt: 'x'.repeat(8001) }), 'presets[0].system_prompt'],
    ['a voice that is no sound', file({ ...good, ref_audio: { ...VOICE, data: 'A' } }), 'presets[0].ref_audio.data'],
    ['content of another kind', file({ ...told, system_content: [{ type: 'image' }] }), 'presets[0].system_content[0]'],
  ])('is refused with %s', (_, text, field) => {
    const refusal = expect.objectContaining({ code: 'preset_file', field });
    expect(() => readPresetFile(text)).toThrow(refusal);
  });
});

describe('the voice in what the model is told', () => {
  const text = { type: 'text', text: 'Hello' };
  const audio = (durationS, data = 'AAAA') => ({ type: 'audio', data, name: 'me', durationS });

  it.each([
    ['one voice', [text, audio(20)], { data: 'AAAA', reason: null }],
    ['no voice', [text], { data: null, reason: 'none' }],
    ['a voice that was not chosen yet', [audio(0, null)], { data: null, reason: 'none' }],
    ['two voices', [audio(1), audio(1)], { data: null, reason: 'several' }],
    ['a long voice', [audio(20.5)], { data: null, reason: 'long' }],
  ])('%s', (_, items, expected) => expect(voiceIn(items)).toEqual(expected));

  it('goes over the wire without its name', () => {
    expect(wireItems([text, audio(1)])).toEqual([text, { type: 'audio', data: 'AAAA' }]);
  });
});
