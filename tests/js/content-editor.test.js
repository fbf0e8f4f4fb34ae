// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { ContentController } from '../../static/pages/content-controller.js';
import { VoiceShelf } from '../../static/pages/voice-shelf.js';
import { ContentEditor } from '../../static/ui/content-editor.js';
import { speakEnglish } from './fakes.js';

const WORDS = { en: () => import('../../static/i18n/persona-en.js') };
const A = { type: 'text', text: 'a' };
const B = { type: 'text', text: 'b' };
const VOICE = { type: 'audio', data: 'AAAAAAAAAAA=', name: 'calm.wav', durationS: 1 };

let container;
let editor;
let changes;
let voices; // of rows: {item, change, isClosed}

beforeEach(async () => {
  document.body.replaceChildren();
  vi.stubGlobal('ResizeObserver', class { observe() {} });
  await speakEnglish(translator);
  await translator.add(WORDS);
  container = document.createElement('div');
  document.body.append(container);
  [voices, changes] = [[], []];
  editor = new ContentEditor(container, {
    openVoice: (_, change) => {
      const voice = { change, show: (item) => (voice.item = item), close: () => (voice.isClosed = true) };
      voices.push(voice);
      return voice;
    },
  });
  editor.on('change', (items) => changes.push(items));
});

const rows = () => [...container.querySelectorAll('.content-row')];
const fields = () => [...container.querySelectorAll('textarea')];
const press = (row, title) => row.querySelector(`button[title^="${title}"]`).click();
const texts = () => editor.items.map((item) => item.text ?? item.name);

function write(field, text, options = {}) {
  field.focus();
  field.value = text;
  field.dispatchEvent(new InputEvent('input', { bubbles: true, ...options }));
}

function key(node, name) {
  node.dispatchEvent(new KeyboardEvent('keydown', { key: name, altKey: true, bubbles: true }));
}

describe('the content editor', () => {
  it('shows texts and voices in their order', () => {
    editor.items = [A, VOICE, B];
    expect(rows().map(({ className }) => className.split(' ')[1])).toEqual(['text', 'audio', 'text']);
    expect(fields().map(({ value }) => value)).toEqual(['a', 'b']);
    expect(voices[0].item).toEqual(VOICE);
  });

  it('tells of changes with copies', () => {
    const given = [{ ...A }];
    editor.items = given;
    write(fields()[0], 'new');
    expect(changes).toEqual([[{ type: 'text', text: 'new' }]]);
    changes[0][0].text = 'from outside';
    expect([given[0].text, editor.items[0].text]).toEqual(['a', 'new']);
  });

  it('keeps the field somebody types in through every change around it', () => {
    editor.items = [A, VOICE, B];
    const [, field] = fields();
    field.focus();
    press(rows()[0], 'Delete');
    key(field, 'ArrowUp');
    voices[0].change({ data: null, name: '', durationS: 0 });
    editor.items = [{ ...B }, VOICE];
    expect(fields()).toEqual([field]);
    expect(field.isConnected).toBe(true);
  });

  it('waits for an input method to finish', () => {
    editor.items = [A];
    const [field] = fields();
    write(field, 'ni', { isComposing: true });
    expect(changes).toEqual([]);
    field.value = '你';
    field.dispatchEvent(new CompositionEvent('compositionend'));
    expect(changes).toEqual([[{ type: 'text', text: '你' }]]);
  });

  it('moves parts by buttons and by keyboard, and says where they are', () => {
    editor.items = [A, B, VOICE];
    press(rows()[1], 'Move up');
    expect(texts()).toEqual(['b', 'a', 'calm.wav']);
    const [, field] = fields();
    field.focus();
    key(field, 'ArrowDown');
    expect(texts()).toEqual(['b', 'calm.wav', 'a']);
    expect(document.activeElement).toBe(field);
    expect(container.querySelector('[aria-live]').textContent).toBe('Now part 3 of 3');
    key(field, 'ArrowDown');
    expect(texts()).toEqual(['b', 'calm.wav', 'a']);
  });

  it('adds a part and puts the cursor there', () => {
    editor.items = [A];
    container.querySelector('.preset-actions button').click();
    expect(document.activeElement).toBe(fields()[1]);
    expect(editor.items).toEqual([A, { type: 'text', text: '' }]);
  });

  it('deletes parts, lets go of their voices, and leaves the cursor nearby', () => {
    editor.items = [VOICE, A];
    key(rows()[0], 'Delete');
    expect(voices[0].isClosed).toBe(true);
    expect(document.activeElement).toBe(fields()[0]);
    key(fields()[0], 'Delete');
    expect(editor.items).toEqual([]);
    expect(document.activeElement.textContent).toBe('Add a text');
  });
});

describe('the system content of a page', () => {
  let content;
  const reason = () => document.querySelector('#voice > p.help').textContent;

  beforeEach(() => {
    const [content_, speechField] = [document.createElement('div'), document.createElement('div')];
    speechField.id = 'voice';
    document.body.replaceChildren(content_, speechField);
    const shelf = new VoiceShelf({ listVoices: async () => [] });
    content = new ContentController({ content: content_, speechField, shelf });
  });

  it('opens a session with what is filled in', () => {
    expect(content.opening).toEqual({ content: [], voice: null });
    content.draft = { items: [{ type: 'text', text: ' a ' }, VOICE], speech: null };
    expect(content.opening).toEqual({ content: [A, VOICE], voice: VOICE.data });
  });

  it('answers in the voice of the service when the content holds several, and says why', () => {
    content.draft = { items: [VOICE, VOICE], speech: null };
    expect(content.opening.voice).toBe(null);
    expect(reason()).toContain('several voices');
  });

  it('answers in a voice of its own when one was chosen', () => {
    content.draft = { items: [VOICE], speech: { ...VOICE, data: 'AAAAAAAAgD8=' } };
    expect(content.opening.voice).toBe('AAAAAAAAgD8=');
  });

  it('takes the texts of a preset at once, with the old voice until the new one is there', () => {
    content.draft = { items: [A, VOICE], speech: null };
    content.showText({ system_content: [{ ...VOICE, data: null, name: 'new.wav' }, B] });
    expect(content.opening.content).toEqual([VOICE, B]);
    content.showVoices([{ data: 'AAAAAAAAgD8=', name: 'new.wav', durationS: 1 }]);
    expect(content.opening.content[0]).toMatchObject({ name: 'new.wav', data: 'AAAAAAAAgD8=' });
  });
});
