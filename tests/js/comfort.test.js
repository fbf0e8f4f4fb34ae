// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';

import words from '../../static/i18n/call-more-en.js';
import { translator } from '../../static/i18n/index.js';
import { followSettings } from '../../static/pages/call-parts.js';
import { openComfortSettings } from '../../static/state/comfort-settings.js';
import { SettingsStore } from '../../static/state/settings.js';
import { SafeStorage } from '../../static/state/storage.js';
import { Captions } from '../../static/ui/captions.js';
import { comfortFields } from '../../static/ui/comfort-fields.js';
import { bindSettingsForm } from '../../static/ui/settings-form.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

const DEFAULTS = { caption_height: 20, caption_bottom_opacity: 80, caption_top_opacity: 30 };

let storage;
let comfort;

beforeEach(async () => {
  await speakEnglish(translator);
  await translator.add({ en: async () => ({ default: words }) });
  const memory = new MemoryStorage();
  storage = new SafeStorage(() => memory);
  comfort = openComfortSettings(storage);
});

describe('the room and the opacity of captions', () => {
  it('are kept, and are as they were after a reset', () => {
    expect(comfort.values).toMatchObject(DEFAULTS);
    comfort.set('caption_height', 45);
    comfort.set('caption_top_opacity', 0);
    comfort.flush();
    expect(openComfortSettings(storage).values).toMatchObject({
      ...DEFAULTS,
      caption_height: 45,
      caption_top_opacity: 0,
    });
    comfort.reset();
    expect(openComfortSettings(storage).values).toMatchObject(DEFAULTS);
  });

  it.each([
    ['caption_height', 5, 80],
    ['caption_bottom_opacity', 0, 100],
    ['caption_top_opacity', 0, 100],
  ])('%s goes from %i to %i, on a slider, too', (key, least, most) => {
    const form = document.createElement('form');
    form.append(...comfortFields(comfort.fields));
    bindSettingsForm(form, comfort);
    const { min, max } = form.elements.namedItem(key);
    expect([Number(min), Number(max)]).toEqual([least, most]);
    const taken = [least - 1, least, most, most + 1].map((value) => comfort.set(key, value));
    expect(taken).toEqual([false, true, true, false]);
    expect(form.querySelector(`output[for="${key}"]`).value).toBe(String(most));
  });
});

describe('captions', () => {
  let container;
  let captions;

  beforeEach(() => {
    container = document.createElement('p');
    captions = new Captions(container);
  });

  it('follow what is set, at once', () => {
    const settings = new SettingsStore('page', 1, [], storage);
    followSettings({ settings, comfort, player: {}, captions });
    const looks = () =>
      ['height', 'bottom', 'top'].map((name) => container.style.getPropertyValue(`--caption-${name}`));
    expect(looks()).toEqual(['20cqh', '80%', '30%']);
    comfort.set('caption_height', 35);
    comfort.set('caption_bottom_opacity', 100);
    expect(looks()).toEqual(['35cqh', '100%', '30%']);
  });

  it('show what sounds behind what was heard, on one ground', () => {
    captions.show({ heard: 'Once upon ', sounding: 'a time' }, true, 0);
    expect(container.children).toHaveLength(1);
    expect(container.textContent).toBe('Once upon a time');
  });
});
