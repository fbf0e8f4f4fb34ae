// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { HOLD_MS } from '../../static/lib/press-to-talk.js';
import { SafeStorage } from '../../static/state/storage.js';
import { openTurnbasedSettings } from '../../static/state/turnbased-settings.js';
import { Composer } from '../../static/ui/composer.js';
import { acceptDrops } from '../../static/ui/drop-target.js';
import { bindSettingsForm } from '../../static/ui/settings-form.js';
import { TalkControl } from '../../static/ui/talk-control.js';
import { MemoryStorage, speakEnglish } from './fakes.js';
import { parsePage } from './static-files.js';

const byId = (id) => document.getElementById(id);

beforeEach(async () => {
  document.body.replaceChildren(...parsePage('turnbased.html').body.children);
  await speakEnglish(translator);
});

function key(target, type, init) {
  const event = new KeyboardEvent(type, { bubbles: true, cancelable: true, ...init });
  target.dispatchEvent(event);
  return event;
}

describe('the composer', () => {
  let composer;
  let submitted;

  beforeEach(() => {
    composer = new Composer(document);
    submitted = vi.fn();
    composer.on('submit', submitted);
  });

  it('sends on Enter, without the spaces around', () => {
    composer.text = '  hello ';
    key(byId('draft'), 'keydown', { key: 'Enter' });
    expect(submitted).toHaveBeenCalledWith({ text: 'hello' });
  });

  it.each([
    ['Shift + Enter, which starts a line', { key: 'Enter', shiftKey: true }],
    ['Enter while an input method composes', { key: 'Enter', isComposing: true }],
    ['Enter that ends a composition', { key: 'Enter', keyCode: 229 }],
  ])('does not send on %s', (_, init) => {
    composer.text = 'hello';
    expect(key(byId('draft'), 'keydown', init).defaultPrevented).toBe(false);
    expect(submitted).not.toHaveBeenCalled();
  });

  it('does not send nothing, nor files that are still being read', () => {
    key(byId('draft'), 'keydown', { key: 'Enter' });
    composer.setAttachments({ count: 1, preparing: true });
    key(byId('draft'), 'keydown', { key: 'Enter' });
    expect(submitted).not.toHaveBeenCalled();
    expect(byId('send').getAttribute('aria-disabled')).toBe('true');
  });

  it('sends a file without words', () => {
    composer.setAttachments({ count: 1, preparing: false });
    key(byId('draft'), 'keydown', { key: 'Enter' });
    expect(submitted).toHaveBeenCalledWith({ text: '' });
  });

  it('offers Stop instead of Send while an answer is under way', () => {
    const stopped = vi.fn();
    composer.on('stop', stopped);
    composer.text = 'next';
    composer.setAnswering(true);
    expect([byId('send').hidden, byId('stop').hidden]).toEqual([true, false]);
    key(byId('draft'), 'keydown', { key: 'Enter' });
    expect(submitted).not.toHaveBeenCalled();
    byId('stop').click();
    expect(stopped).toHaveBeenCalledOnce();
    composer.setAnswering(false);
    expect(composer.text).toBe('next');
  });

  it('takes pasted pictures, but pastes text that comes with one', () => {
    const files = vi.fn();
    composer.on('files', files);
    const paste = (types) => {
      const event = new Event('paste', { cancelable: true });
      event.clipboardData = { files: ['picture'], types };
      byId('draft').dispatchEvent(event);
    };
    paste(['text/plain', 'Files']);
    expect(files).not.toHaveBeenCalled();
    paste(['Files']);
    expect(files).toHaveBeenCalledWith(['picture']);
  });
});

it('dropped files are taken, and the overlay goes', () => {
  const onFiles = vi.fn();
  acceptDrops(document.body, byId('drop-target'), onFiles);
  const drag = (type) => {
    const event = new Event(type, { bubbles: true, cancelable: true });
    event.dataTransfer = { types: ['Files'], files: ['picture'] };
    byId('main').dispatchEvent(event);
  };
  drag('dragenter');
  expect(byId('drop-target').hidden).toBe(false);
  drag('drop');
  expect(byId('drop-target').hidden).toBe(true);
  expect(onFiles).toHaveBeenCalledWith(['picture']);
});

describe('Space', () => {
  let page;
  let heard;
  let now;

  beforeEach(() => {
    page = parsePage('turnbased.html');
    heard = [];
    now = 0;
    const talk = new TalkControl(inPage('microphone'), inPage('draft'));
    talk.on('start', () => heard.push('start'));
    talk.on('stop', () => heard.push('stop'));
  });

  const inPage = (id) => page.getElementById(id);
  const space = (target, type, init = {}) => {
    const event = new KeyboardEvent(type, { code: 'Space', bubbles: true, cancelable: true, ...init });
    Object.defineProperty(event, 'timeStamp', { value: now });
    target.dispatchEvent(event);
    return event;
  };

  it('held in the empty field talks until it is released', () => {
    expect(space(inPage('draft'), 'keydown').defaultPrevented).toBe(true);
    space(inPage('draft'), 'keydown', { repeat: true });
    now = HOLD_MS;
    space(inPage('draft'), 'keyup');
    expect(heard).toEqual(['start', 'stop']);
  });

  it('tapped outside of fields runs until the next tap', () => {
    space(page.body, 'keydown');
    now = 100;
    space(page.body, 'keyup');
    expect(heard).toEqual(['start']);
    now = 3000;
    space(page.body, 'keydown');
    expect(heard).toEqual(['start', 'stop']);
  });

  it.each([
    ['in a field with words', () => inPage('draft')],
    ['on a button', () => inPage('attach')],
    ['in another field', () => inPage('max_new_tokens')],
  ])('%s is just Space', (_, target) => {
    inPage('draft').value = 'words';
    expect(space(target(), 'keydown').defaultPrevented).toBe(false);
    expect(heard).toEqual([]);
  });

  it('on the microphone button works as a click without a pointer does', () => {
    inPage('microphone').dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 0 }));
    inPage('microphone').dispatchEvent(new MouseEvent('click', { bubbles: true, detail: 0 }));
    expect(heard).toEqual(['start', 'stop']);
  });
});

describe('the settings form', () => {
  let store;
  const input = (name) => document.querySelector(`[name="${name}"]`);
  const type = (name, value) => {
    input(name).value = value;
    input(name).dispatchEvent(new Event('input', { bubbles: true }));
  };

  beforeEach(() => {
    store = openTurnbasedSettings(new SafeStorage(() => new MemoryStorage()));
    bindSettingsForm(document.querySelector('#settings form'), store);
  });

  it('shows what is stored and stores what is entered', () => {
    expect(input('max_new_tokens').value).toBe('1024');
    expect(input('streaming').checked).toBe(true);
    type('max_new_tokens', '64');
    input('streaming').click();
    expect(store.values).toMatchObject({ max_new_tokens: 64, streaming: false });
  });

  it('marks what is out of range, and puts the old value back on leaving', () => {
    type('max_new_tokens', '5000');
    expect(input('max_new_tokens').getAttribute('aria-invalid')).toBe('true');
    expect(store.values.max_new_tokens).toBe(1024);
    input('max_new_tokens').dispatchEvent(new Event('blur'));
    expect(input('max_new_tokens').value).toBe('1024');
    expect(input('max_new_tokens').getAttribute('aria-invalid')).toBe('false');
  });

  it('offers the ranges that the store accepts', () => {
    for (const { key: name, min, max, maxLength } of store.fields) {
      if (min !== undefined) expect(Number(input(name).min)).toBe(min);
      if (max !== undefined) expect(Number(input(name).max)).toBe(max);
      if (maxLength !== undefined) expect(input(name).maxLength).toBe(maxLength);
    }
  });

  it('follows a reset', () => {
    type('length_penalty', '2');
    expect(document.querySelector('output[for="length_penalty"]').value).toBe('2');
    store.reset();
    expect(input('length_penalty').value).toBe('1.1');
  });
});
