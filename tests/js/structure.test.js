// @vitest-environment happy-dom
/** Rules that hold for every page, module and style. */

import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';

import { filesWith, parsePage, read } from './static-files.js';

const MAY_IMPORT = {
  lib: ['lib'],
  i18n: ['i18n'],
  net: ['net', 'lib'],
  audio: ['audio', 'lib'],
  image: ['image', 'lib'],
  record: ['record', 'lib'],
  video: ['video', 'lib'],
  state: ['state', 'lib'],
  ui: ['ui', 'lib', 'state', 'i18n'],
  pages: ['pages', 'lib', 'i18n', 'net', 'audio', 'image', 'record', 'video', 'state', 'ui'],
};
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;
const STATIC_IMPORT = /(?:\bfrom|\bimport)\s*'([^']+)'/g;
const MAX_LINES = 400;
const MAX_PAGE_BYTES = 150_000;
const MAX_OMNI_BYTES = 220_000;

const modules = filesWith('.js');
const pages = filesWith('.html');

function importsOf(path, pattern = IMPORT) {
  const code = read(path).replaceAll(/\/\*[\s\S]*?\*\//g, '');
  return [...code.matchAll(pattern)].map(([, target]) => posix.join(posix.dirname(path), target));
}

/** What a page waits for: words are imported by language, and come before it is shown. */
function neededBy(path) {
  const words = importsOf(path).filter((target) => target.startsWith('i18n/'));
  return [...importsOf(path, STATIC_IMPORT), ...words];
}

/** Everything a page loads before it is usable, with the larger of the two dictionaries. */
function loadedBy(page) {
  const links = [...read(page).matchAll(/(?:src|href)="\/static\/([^"]+\.(?:js|css))"/g)];
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path) || path.endsWith('zh.js')) return;
    seen.add(path);
    if (path.endsWith('.js')) neededBy(path).forEach(visit);
  };
  links.forEach(([, path]) => visit(path));
  return [...seen];
}

describe.each(modules)('%s', (path) => {
  it('imports only what its folder may', () => {
    const allowed = MAY_IMPORT[posix.dirname(path)];
    for (const target of importsOf(path)) {
      expect(modules).toContain(target);
      expect(allowed).toContain(posix.dirname(target));
    }
  });

  it('writes no markup and no inline style into the page', () => {
    expect(read(path)).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|cssText/);
    expect(read(path)).not.toMatch(/setAttribute\(\s*'style'|\beval\(|new Function\(/);
  });
});

describe.each([...modules, ...pages, ...filesWith('.css')])('%s', (path) => {
  it('is short', () => {
    expect(read(path).split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });

  it('asks nobody else for anything', () => {
    const addresses = read(path).match(/https?:\/\/[\w.]+/g) ?? [];
    expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([]);
  });
});

describe.each(pages)('%s', (path) => {
  it('hides what belongs to later states of a call before any script runs', () => {
    for (const element of parsePage(path).querySelectorAll('[data-when]')) {
      expect(element.hidden, element.id).toBe(!element.dataset.when.split(' ').includes('idle'));
    }
  });

  const page = parsePage(path);

  it('has no inline script or style', () => {
    for (const script of page.querySelectorAll('script')) {
      expect(script.getAttribute('src')).toBeTruthy();
      expect(script.textContent).toBe('');
    }
    for (const element of page.querySelectorAll('*')) {
      const names = element.getAttributeNames();
      expect(names.filter((name) => name === 'style' || name.startsWith('on'))).toEqual([]);
    }
    expect(page.querySelectorAll('style')).toHaveLength(0);
  });

  it('names every control, and uses each id once', () => {
    for (const control of page.querySelectorAll('button, a, textarea, input:not([aria-hidden])')) {
      const label = page.querySelector(`label[for="${control.id}"]`)?.textContent;
      const name = control.getAttribute('aria-label') ?? (control.textContent.trim() || label);
      expect(name, control.outerHTML).toBeTruthy();
    }
    const ids = [...page.querySelectorAll('[id]')].map((element) => element.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('points only at files and ids that exist', () => {
    for (const [, file] of read(path).matchAll(/"\/static\/([^"#]+)/g)) {
      expect(() => read(file)).not.toThrow();
    }
    for (const attribute of ['for', 'aria-labelledby', 'aria-describedby']) {
      for (const element of page.querySelectorAll(`[${attribute}]`)) {
        expect(page.getElementById(element.getAttribute(attribute))).not.toBe(null);
      }
    }
  });

  it('loads at most 150 KB of script and style, the omni page 220 KB', () => {
    const bytes = loadedBy(path).reduce((sum, file) => sum + Buffer.byteLength(read(file)), 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThanOrEqual(path === 'omni.html' ? MAX_OMNI_BYTES : MAX_PAGE_BYTES);
  });
});

it('every icon that is used is drawn', () => {
  const drawn = new Set([...read('img/icons.svg').matchAll(/symbol id="(\w+)"/g)].map(([, id]) => id));
  const inPages = pages.flatMap((path) => [...read(path).matchAll(/icons\.svg#(\w+)/g)]);
  const inModules = modules.flatMap((path) => [
    ...read(path).matchAll(/(?:\bicon|iconButton|setIcon)\((?:[\w.]+, )?'(\w+)'/g),
  ]);
  for (const [, id] of [...inPages, ...inModules]) expect(drawn).toContain(id);
  expect(inModules.length).toBeGreaterThan(5);
});

describe('colours', () => {
  const tokens = Object.fromEntries(
    [...read('css/tokens.css').matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(
      ([, name, light, dark]) => [name, { light, dark }],
    ),
  );
  const luminance = (color) => {
    const channels = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
    const linear = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const surfaces = ['paper', 'card', 'raised', 'sunken', 'accent-soft', 'amber-soft', 'danger-soft'];
  const pairs = [
    ...surfaces.flatMap((surface) => [['ink', surface], ['ink-soft', surface]]),
    ...['paper', 'card', 'raised', 'accent-soft'].map((surface) => ['accent', surface]),
    ...['paper', 'card', 'raised', 'danger-soft'].map((surface) => ['danger', surface]),
    ['amber', 'paper'],
    ['amber', 'amber-soft'],
    ['on-accent', 'accent'],
    ['on-accent', 'accent-hover'],
  ];

  it.each(pairs)('%s on %s can be read in both themes', (ink, surface) => {
    for (const theme of ['light', 'dark']) {
      expect(contrast(tokens[ink][theme], tokens[surface][theme]), theme).toBeGreaterThanOrEqual(4.5);
    }
  });
});

it('no text is smaller than 12 px', () => {
  for (const path of filesWith('.css')) {
    const sizes = [...read(path).matchAll(/(?:--text[\w-]*|font-size|font):[^;]*?([\d.]+)(px|rem|em)\b/g)];
    for (const [rule, size, unit] of sizes) {
      expect(Number(size) * (unit === 'px' ? 1 : 16), `${path}: ${rule}`).toBeGreaterThanOrEqual(12);
    }
  }
});
