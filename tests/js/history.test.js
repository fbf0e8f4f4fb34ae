// @vitest-environment happy-dom
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Conversation } from '../../static/lib/conversation.js';
import { Emitter } from '../../static/lib/emitter.js';
import { relativeTime } from '../../static/lib/relative-time.js';
import { fromRecord, toRecord } from '../../static/lib/stored-conversation.js';
import { HistoryController } from '../../static/pages/history-controller.js';
import { bytesOfItem, itemOfBytes } from '../../static/pages/message-items.js';
import { HistoryDb } from '../../static/state/history-db.js';
import { SafeStorage } from '../../static/state/storage.js';
import { MemoryStorage } from './fakes.js';

const text = (words) => ({ type: 'text', text: words });
const picture = () => ({
  type: 'image', data: 'aW1n', mime: 'image/png', name: 'a.png', width: 3, height: 2, url: 'blob:1',
});
const urlOf = () => 'blob:restored';

let factory;

beforeEach(() => {
  factory = new IDBFactory();
  vi.stubGlobal('IDBKeyRange', IDBKeyRange);
});

function said(...questions) {
  const conversation = new Conversation();
  for (const items of questions) {
    Object.assign(conversation.ask(items), { answer: 'Yes.', state: 'complete' });
  }
  return conversation;
}

const keep = async (db, conversation) => {
  const { record, files } = toRecord(conversation, bytesOfItem);
  return Object.assign(conversation, await db.save(record, files));
};

async function read(db, id) {
  const { record, files } = await db.load(id);
  return fromRecord(record, files, itemOfBytes, urlOf);
}

describe('the history', () => {
  let db;

  beforeEach(() => {
    db = new HistoryDb(() => factory);
  });

  it('brings a conversation back with its files and the sound of its answers', async () => {
    const conversation = said([picture(), text('what?')]);
    conversation.last.soundParts = [new Float32Array(24_000)];
    const { id } = await keep(db, conversation);
    const { turns, title } = await read(db, id);
    expect(title).toBe('what?');
    expect(turns[0].items[0]).toMatchObject({ ...picture(), url: expect.any(String) });
    expect(turns[0]).toMatchObject({ answer: 'Yes.', state: 'complete' });
    expect(turns[0].sound.durationS).toBeCloseTo(1, 2);
  });

  it('lists what was used last first, without reading files', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const older = await keep(db, said([text('older')]));
    vi.advanceTimersByTime(1000);
    await keep(db, said([text('newer')]));
    vi.advanceTimersByTime(1000);
    await keep(db, older);
    expect((await db.list()).map(({ title }) => title)).toEqual(['older', 'newer']);
    vi.useRealTimers();
  });

  it('writes each file once', async () => {
    const conversation = said([picture()]);
    await keep(db, conversation);
    const { record } = toRecord(conversation, bytesOfItem);
    const again = vi.fn();
    await db.save(record, new Map([[conversation.last.items[0].file, again]]));
    expect(again).not.toHaveBeenCalled();
  });

  it('shows an answer that was under way as interrupted', async () => {
    const conversation = new Conversation();
    conversation.ask([text('hello')]).answer = 'half';
    const { id } = await keep(db, conversation);
    expect((await read(db, id)).last).toMatchObject({ answer: 'half', state: 'interrupted' });
  });

  it('makes a copy when another tab has written meanwhile', async () => {
    const { id } = await keep(db, said([picture()]));
    const [here, there] = [await read(db, id), await read(db, id)];
    here.ask([text('here')]);
    there.ask([text('there')]);
    await keep(db, here);
    await keep(db, there);
    expect(here.id).toBe(id);
    expect(there.id).not.toBe(id);
    expect((await read(db, id)).last.items).toEqual([text('here')]);
    const copy = await read(db, there.id);
    expect(copy.last.items).toEqual([text('there')]);
    expect(copy.turns[0].items[0].data).toBe('aW1n');
  });

  it('forgets one conversation with its files, or all', async () => {
    const [one, other] = [await keep(db, said([picture()])), await keep(db, said([picture()]))];
    await db.remove(one.id);
    expect(await db.load(one.id)).toBe(null);
    expect((await read(db, other.id)).last.items[0].data).toBe('aW1n');
    await db.clear();
    expect(await db.list()).toEqual([]);
  });

  it('tells when the browser lets nothing be stored', async () => {
    const blocked = new HistoryDb(() => {
      throw new DOMException('no', 'SecurityError');
    });
    await expect(blocked.list()).rejects.toMatchObject({ code: 'history_blocked' });
  });
});

describe('what is said', () => {
  let chat;
  let db;
  let tab;
  let toaster;

  class FakeChat extends Emitter {
    conversation = new Conversation();
    show = vi.fn((conversation) => {
      this.conversation = conversation;
      this.emit('shown', conversation);
    });

    get empty() {
      return this.conversation.empty;
    }
  }

  function openPage() {
    chat = new FakeChat();
    toaster = { failure: vi.fn(), news: vi.fn() };
    return new HistoryController({ chat, db, tab, toaster });
  }

  beforeEach(() => {
    db = new HistoryDb(() => factory);
    tab = new SafeStorage(() => new MemoryStorage());
  });

  afterEach(() => vi.useRealTimers());

  it('is there again after the page was loaded anew', async () => {
    const history = openPage();
    chat.conversation = said([text('hello')]);
    chat.emit('changed', chat.conversation);
    await history.flush();
    await openPage().resume();
    expect(chat.conversation.title).toBe('hello');
  });

  it('does not replace what is written before the history is open', async () => {
    const history = openPage();
    chat.conversation = said([text('old')]);
    chat.emit('changed', chat.conversation);
    await history.flush();
    const reloaded = openPage();
    const resumed = reloaded.resume();
    chat.conversation = said([text('new')]);
    await resumed;
    expect(chat.show).not.toHaveBeenCalled();
    expect((await reloaded.list()).map(({ title }) => title).sort()).toEqual(['new', 'old']);
  });

  it('late of a conversation that was left is kept there', async () => {
    const history = openPage();
    const left = said([text('first')]);
    chat.emit('changed', left);
    await history.flush();
    chat.conversation = said([text('second')]);
    Object.assign(left.last, { answer: 'late words', state: 'interrupted' });
    chat.emit('changed', left);
    await history.flush();
    expect((await read(db, left.id)).last).toMatchObject({ answer: 'late words', state: 'interrupted' });
  });

  it('goes with its last message', async () => {
    const history = openPage();
    chat.conversation = said([text('hello')]);
    chat.emit('changed', chat.conversation);
    await history.flush();
    chat.conversation.remove(chat.conversation.last);
    chat.emit('changed', chat.conversation);
    expect(await history.list()).toEqual([]);
  });

  it('is told once not to be kept where nothing can be stored', async () => {
    db = new HistoryDb(() => undefined);
    const history = openPage();
    await history.resume();
    chat.emit('changed', said([text('hello')]));
    await history.flush();
    expect(toaster.failure).toHaveBeenCalledOnce();
    expect(history.works).toBe(false);
  });
});

it.each([
  [5, 'now'],
  [90, '1 minute ago'],
  [7200, '2 hours ago'],
  [86_400, 'yesterday'],
  [40 * 86_400, 'last month'],
])('%i seconds ago is told as %s', (seconds, words) => {
  expect(relativeTime(0, seconds * 1000, 'en')).toBe(words);
});

it('what a clock that goes wrong puts into the future was now', () => {
  expect(relativeTime(3600_000, 0, 'en')).toBe('now');
});
