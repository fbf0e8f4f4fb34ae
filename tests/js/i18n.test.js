// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import adminEn from '../../static/i18n/admin-en.js';
import callEn from '../../static/i18n/call-en.js';
import commonEn from '../../static/i18n/en.js';
import halfDuplexEn from '../../static/i18n/half-duplex-en.js';
import replayEn from '../../static/i18n/replay-en.js';
import homeEn from '../../static/i18n/home-en.js';
import guideEn from '../../static/i18n/styleguide-en.js';
import { localize, t, translator } from '../../static/i18n/index.js';
import commonZh from '../../static/i18n/zh.js';
import { FAILURE_CODES } from '../../static/lib/failure.js';
import { filesWith, parsePage, read } from './static-files.js';

const pages = filesWith('.html');
const others = filesWith('.js').flatMap((path) => path.match(/^i18n\/(.+)-en\.js$/)?.[1] ?? []);
const wordsIn = async (language) =>
  Promise.all(others.map((name) => import(`../../static/i18n/${name}-${language}.js`)));
const [othersEn, othersZh] = await Promise.all([wordsIn('en'), wordsIn('zh')]);
const callWords = { ...commonEn, ...callEn };
const halfDuplexWords = { ...callWords, ...halfDuplexEn };
const en = Object.assign({}, commonEn, ...othersEn.map((words) => words.default));
const zh = Object.assign({}, commonZh, ...othersZh.map((words) => words.default));
const homeWords = { ...commonEn, ...homeEn };
const WORDS = {
  'index.html': homeWords,
  '404.html': homeWords,
  'admin.html': { ...commonEn, ...adminEn },
  'omni.html': callWords,
  'audio-duplex.html': callWords,
  'half-duplex.html': halfDuplexWords,
  'session.html': { ...commonEn, ...replayEn },
  'session-missing.html': { ...commonEn, ...replayEn },
  'styleguide.html': { ...commonEn, ...guideEn },
};
const wordsOf = (path) => WORDS[path] ?? commonEn;
const placeholders = (entry) => JSON.stringify(entry).match(/\{\w+\}/g) ?? [];

/** Keys written out in code: 'area.name' strings that look like dictionary keys. */
function keysInCode() {
  const areas = new Set(Object.keys(en).map((key) => key.split('.')[0]));
  const code = filesWith('.js').filter((path) => !path.startsWith('i18n/')).map(read).join('\n');
  const literals = [...code.matchAll(/'([a-z0-9]+(?:\.[a-z0-9_]+)+)'/g)].map(([, text]) => text);
  return literals.filter((text) => areas.has(text.split('.')[0]));
}

function keysInPages() {
  return pages.flatMap((path) => {
    const page = parsePage(path);
    const texts = [...page.querySelectorAll('[data-i18n]')].map((element) => element.dataset.i18n);
    const attributes = [...page.querySelectorAll('[data-i18n-attr]')].flatMap((element) =>
      element.dataset.i18nAttr.split(';').map((pair) => pair.split(':')[1]),
    );
    return [...texts, ...attributes];
  });
}

describe('the dictionaries', () => {
  it.each([
    ['common', commonEn, commonZh],
    ...others.map((name, index) => [name, othersEn[index].default, othersZh[index].default]),
  ])('of %s words have the same keys in the same order', (_, english, chinese) => {
    expect(Object.keys(chinese)).toEqual(Object.keys(english));
  });

  it('fill in the same values', () => {
    for (const key of Object.keys(en)) {
      expect(new Set(placeholders(zh[key])), key).toEqual(new Set(placeholders(en[key])));
    }
  });

  it('hold every key that a page or a module names', () => {
    const named = [...keysInPages(), ...keysInCode()];
    expect(named.length).toBeGreaterThan(80);
    for (const key of named) expect(en, key).toHaveProperty([key]);
  });

  it('tell of every failure, with what to do next', () => {
    for (const code of FAILURE_CODES) {
      expect(en).toHaveProperty([`failure.${code}.title`]);
      expect(en).toHaveProperty([`failure.${code}.hint`]);
    }
  });

  it('hold no entry that nothing uses', () => {
    const built = /^(failure\.\w+\.(title|hint)|app\.\w+\.(name|text)|banner\.|theme\.|home\.status\.|voice\.reason\.|(comfort|keys|check)\.|admin\.(access|ask|source|storage|totals|type|worker|worker_state)\.|call\.(state|end|metric|level|talk|\w+_voice))/;
    const named = new Set([...keysInPages(), ...keysInCode()]);
    expect(Object.keys(en).filter((key) => !named.has(key) && !built.test(key))).toEqual([]);
  });
});

describe.each(pages)('%s', (path) => {
  const page = parsePage(path);

  it('says in its markup what the English dictionary says', () => {
    const words = wordsOf(path);
    for (const element of page.querySelectorAll('[data-i18n]')) {
      expect(element.textContent).toBe(words[element.dataset.i18n]);
    }
    for (const element of page.querySelectorAll('[data-i18n-attr]')) {
      for (const pair of element.dataset.i18nAttr.split(';')) {
        const [name, key] = pair.split(':');
        expect(element.getAttribute(name)).toBe(words[key]);
      }
    }
  });

  it('shows no words without a key', () => {
    const walker = page.createTreeWalker(page.body, 4); // text nodes
    while (walker.nextNode()) {
      const { data, parentElement } = walker.currentNode;
      if (/\p{L}/u.test(data)) expect(parentElement.dataset.i18n, data).toBeTruthy();
    }
  });
});

describe('the language', () => {
  let kept;

  const start = ({ search = '', stored = null, browser = 'fr-FR' } = {}) => {
    kept = { getText: () => stored, setText: vi.fn() };
    return translator.start({
      document,
      location: { search },
      navigator: { language: browser },
      storage: kept,
    });
  };

  beforeEach(() => document.body.replaceChildren());

  it.each([
    ['the address', { search: '?lang=en', stored: 'zh', browser: 'zh-CN' }, 'en'],
    ['what was chosen before', { stored: 'en', browser: 'zh-CN' }, 'en'],
    ['the browser', { browser: 'en-GB' }, 'en'],
    ['Chinese when nothing fits', {}, 'zh'],
    ['the browser when the address asks for none of ours', { search: '?lang=xx', browser: 'en' }, 'en'],
  ])('comes from %s', async (_, surroundings, expected) => {
    await start(surroundings);
    expect(translator.language).toBe(expected);
  });

  it('of the server counts only where nobody has chosen', async () => {
    await start();
    await translator.suggest('en');
    expect(translator.language).toBe('en');
    await translator.suggest('nonsense');
    expect(translator.language).toBe('en');
    await start({ stored: 'zh' });
    await translator.suggest('en');
    expect(translator.language).toBe('zh');
  });

  it('changes live, everywhere, and is remembered', async () => {
    await start({ stored: 'en' });
    const [text, button] = [document.createElement('p'), document.createElement('button')];
    button.dataset.i18nAttr = 'aria-label:action.close;title:action.close';
    document.body.append(text, button);
    localize(text, 'queue.place', { position: 2, length: 1234 });
    expect(text.textContent).toBe('Place 2 of 1,234 in the queue');
    await translator.choose('zh');
    expect(text.textContent).toBe('排队第 2 位，共 1,234 位');
    expect(button.getAttribute('aria-label')).toBe('关闭');
    expect(button.title).toBe('关闭');
    expect(document.documentElement.lang).toBe('zh-CN');
    expect(kept.setText).toHaveBeenCalledWith('minicpmo_lang', 'zh');
  });

  it('knows one from many', async () => {
    await start({ stored: 'en' });
    expect(t('chat.tokens_out', { count: 1 })).toBe('1 token out');
    expect(t('chat.tokens_out', { count: 2 })).toBe('2 tokens out');
    await translator.choose('zh');
    expect(t('chat.tokens_out', { count: 1 })).toBe('输出 1 token');
  });
});
