// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { tellUntilClosed } from '../../static/pages/shell.js';
import { SafeStorage } from '../../static/state/storage.js';
import { appCard } from '../../static/ui/apps.js';
import { Banners } from '../../static/ui/banners.js';
import { SiteHeader } from '../../static/ui/nav.js';
import { Theme } from '../../static/ui/theme.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

let container;
let memory;

beforeEach(async () => {
  container = document.createElement('header');
  document.body.replaceChildren(container);
  memory = new MemoryStorage();
  await speakEnglish(translator);
});

const theme = () => new Theme(document.documentElement, new SafeStorage(() => memory));

describe('the header', () => {
  let header;

  beforeEach(() => {
    header = new SiteHeader(container, { current: '/turnbased', theme: theme() });
  });

  it('leads to every mode and marks the current page', () => {
    header.setApps([
      { app_id: 'turnbased', name: 'x', route: '/turnbased' },
      { app_id: 'brand_new', name: 'Brand new', route: '/new' },
    ]);
    expect(container.querySelector('nav').getAttribute('aria-label')).toBe('Pages');
    const links = [...container.querySelectorAll('.site-nav a')];
    expect(links.map((link) => link.textContent)).toEqual(['Home', 'Turn-based chat', 'Brand new']);
    expect(links.map((link) => link.getAttribute('aria-current'))).toEqual([null, 'page', null]);
  });

  it.each([
    ['1 of 2 free', 'good', { total_workers: 2, idle_workers: 1 }],
    ['1 of 1 free', 'good', { total_workers: 2, idle_workers: 1, offline_workers: 1 }],
    ['Busy', 'bad', { total_workers: 1, idle_workers: 0 }],
    ['All 3 busy', 'bad', { total_workers: 3, idle_workers: 0 }],
    ['Model is loading', 'busy', { total_workers: 1, idle_workers: 0, loading_workers: 1 }],
    ['No model running', 'bad', { total_workers: 1, idle_workers: 0, offline_workers: 1 }],
    ['Not reachable', 'bad', null],
  ])('says %s', (text, level, status) => {
    header.health.show(status);
    expect(header.health.element.textContent).toContain(text);
    expect(header.health.element.dataset.level).toBe(level);
  });

  it('names the model that answers only when it is a toy', () => {
    const name = () => container.querySelector('.health-model');
    const status = { total_workers: 1, idle_workers: 1, model_name: 'minicpm-o-nano' };
    header.health.show({ ...status, embedded_model: true });
    expect([name().hidden, name().textContent]).toEqual([false, 'minicpm-o-nano']);
    header.health.show({ ...status, embedded_model: false });
    expect(name().hidden).toBe(true);
  });

  it('says how many wait only when someone does', () => {
    const waiting = () => container.querySelector('.health-waiting');
    header.health.show({ total_workers: 1, idle_workers: 0, queue_length: 3 });
    expect(waiting().textContent).toBe('3 waiting');
    header.health.show({ total_workers: 1, idle_workers: 1, queue_length: 0 });
    expect(waiting().hidden).toBe(true);
  });
});

describe('the theme', () => {
  it('goes from the system to light to dark and back, and is remembered', () => {
    const { dataset } = document.documentElement;
    expect([theme().next(), dataset.theme]).toEqual(['light', 'light']);
    expect([theme().next(), dataset.theme]).toEqual(['dark', 'dark']);
    expect([theme().next(), dataset.theme]).toEqual(['auto', undefined]);
  });

  it('is the system again when the stored one makes no sense', () => {
    memory.setItem('minicpmo_theme', 'pink');
    expect(theme().choice).toBe('auto');
  });
});

it('a banner shows once, and goes when it is no longer true', () => {
  const banners = new Banners(container);
  banners.toggle('offline', true, 'warning');
  banners.toggle('offline', true, 'warning');
  expect(container.querySelectorAll('[role="alert"]')).toHaveLength(1);
  banners.toggle('offline', false);
  banners.toggle('offline', false);
  expect(container.children).toHaveLength(0);
});

describe('a note until it is closed', () => {
  const visit = (storage = new SafeStorage(() => memory)) => {
    container.replaceChildren();
    tellUntilClosed({ storage, banners: new Banners(container) }, 'offline');
    return container.querySelector('.banner');
  };

  it('comes back with each visit, and never after it was closed', () => {
    expect(visit().textContent).toContain('This device is offline');
    const close = visit().querySelector('button');
    expect(close.getAttribute('aria-label')).toBe('Close');
    close.click();
    expect(container.children).toHaveLength(0);
    expect(visit()).toBe(null);
  });

  it('leaves when it is closed also where nothing can be kept', () => {
    const closed = new SafeStorage(() => {
      throw new Error('storage is blocked');
    });
    visit(closed).querySelector('button').click();
    expect(container.children).toHaveLength(0);
    expect(visit(closed)).not.toBe(null);
  });
});

it('a mode that is not known gets a card under the name the server gives it', () => {
  const card = appCard({ app_id: 'brand_new', name: '<b>New</b>', route: '/new' });
  expect(card.querySelector('h3').textContent).toBe('<b>New</b>');
  expect(card.querySelector('a').getAttribute('href')).toBe('/new');
});
