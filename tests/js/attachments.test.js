// @vitest-environment happy-dom
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import chatWords from '../../static/i18n/chat-en.js';
import { translator } from '../../static/i18n/index.js';
import { AttachmentController } from '../../static/pages/attachment-controller.js';
import { AttachmentKeeper } from '../../static/pages/attachment-keeper.js';
import { HistoryDb } from '../../static/state/history-db.js';
import { SafeStorage } from '../../static/state/storage.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

const LIMIT_BYTES = 9;
const DAY_MS = 24 * 3600 * 1000;
const picture = (name, data = 'aW1n') => ({ type: 'image', data, mime: 'image/png', name, url: 'blob:1' });

let factory;
let tab;
let toaster;

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  await translator.add({ en: async () => ({ default: chatWords }) });
  factory = new IDBFactory();
  vi.stubGlobal('IDBKeyRange', IDBKeyRange);
  tab = new SafeStorage(() => new MemoryStorage());
  toaster = { news: vi.fn(), failure: vi.fn() };
});

afterEach(() => vi.unstubAllGlobals());

/** The page, as it is when it has been loaded. */
async function load({ session = tab, open = () => factory } = {}) {
  document.body.innerHTML = '<ul></ul>';
  const list = document.querySelector('ul');
  const attachments = new AttachmentController({ list, toaster, onChange: () => keeper.keep() });
  const db = new HistoryDb(open, 'attachments');
  const keeper = new AttachmentKeeper({ attachments, tab: session, toaster, db, limitBytes: LIMIT_BYTES });
  await keeper.resume();
  await keeper.keep();
  return { attachments, keeper, db };
}

const names = ({ attachments }) => attachments.items.map(({ name }) => name);

describe('what is attached', () => {
  it('is there when the page is loaded again, with its bytes, in the order of the list', async () => {
    const page = await load();
    page.attachments.addItem(picture('a.png'));
    page.attachments.addItem(picture('b.png', 'Ynl0ZXM='));
    document.querySelector('li:nth-child(2) .moves button').click();
    await page.keeper.keep();
    const again = await load();
    expect(again.attachments.items.map(({ name, data }) => [name, data])).toEqual([
      ['b.png', 'Ynl0ZXM='],
      ['a.png', 'aW1n'],
    ]);
    expect(document.querySelectorAll('li')).toHaveLength(2);
  });

  it('is forgotten once it is sent, or taken away', async () => {
    const page = await load();
    page.attachments.addItem(picture('a.png'));
    await page.keeper.keep();
    expect(await page.db.list()).toHaveLength(1);
    page.attachments.take();
    await page.keeper.keep();
    expect(await page.db.list()).toEqual([]);
    expect(names(await load())).toEqual([]);
  });

  it('is not seen by other tabs, and goes a day after its own was closed', async () => {
    const other = new SafeStorage(() => new MemoryStorage());
    const page = await load();
    page.attachments.addItem(picture('a.png'));
    await page.keeper.keep();
    expect(names(await load({ session: other }))).toEqual([]);
    expect(await page.db.list()).toHaveLength(1);
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + DAY_MS + 1);
    await load({ session: other });
    vi.restoreAllMocks();
    expect(await page.db.list()).toEqual([]);
  });

  it('is kept as far as there is room for it, which is told once', async () => {
    const page = await load();
    page.attachments.addItem(picture('a.png', 'c2l4aXgh'));
    page.attachments.addItem(picture('b.png', 'c2l4aXgh'));
    await page.keeper.keep();
    page.attachments.addItem(picture('c.png'));
    await page.keeper.keep();
    expect(toaster.news.mock.calls).toEqual([['file.not_all_kept']]);
    const [record] = await page.db.list();
    expect(record.items.map(({ name }) => name)).toEqual(['a.png']);
    expect(names(page)).toEqual(['a.png', 'b.png', 'c.png']);
  });

  it('can be sent where nothing may be stored, which is told once', async () => {
    const blocked = () => {
      throw new DOMException('blocked', 'SecurityError');
    };
    const page = await load({ open: blocked });
    page.attachments.addItem(picture('a.png'));
    await page.keeper.keep();
    page.attachments.addItem(picture('b.png'));
    await page.keeper.keep();
    expect(toaster.news.mock.calls).toEqual([['file.not_kept']]);
    expect(toaster.failure).not.toHaveBeenCalled();
    expect(page.attachments.take()).toHaveLength(2);
  });
});
