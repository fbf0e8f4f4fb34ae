import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { AdminAccess, isRefusal } from '../../static/lib/admin-access.js';
import { Failure } from '../../static/lib/failure.js';
import { sizeText, stampText } from '../../static/lib/number-text.js';
import { PointHistory, polyline } from '../../static/lib/point-history.js';
import { PollSchedule } from '../../static/lib/poll-schedule.js';
import { runningSessions } from '../../static/lib/running-sessions.js';
import { PartPoller } from '../../static/net/part-poller.js';
import { AdminChanges } from '../../static/pages/admin-changes.js';

const PERIODS_MS = { queue: 5000, storage: 30_000 };

describe('the schedule', () => {
  let schedule;

  beforeEach(() => {
    schedule = new PollSchedule(PERIODS_MS);
  });

  it('asks for each part at its own pace', () => {
    const asked = [0, 5000, 30_000].map((nowMs) => {
      const due = schedule.begin(nowMs);
      schedule.end();
      return due;
    });
    expect(asked).toEqual([['queue', 'storage'], ['queue'], ['queue', 'storage']]);
  });

  it('begins no round while one goes on', () => {
    schedule.begin(0);
    expect(schedule.begin(60_000)).toBe(null);
    schedule.end();
    expect(schedule.begin(60_000)).toEqual(['queue', 'storage']);
  });

  it('says how long to wait, and not at all for what is in a hurry', () => {
    schedule.begin(1000);
    expect(schedule.waitMs(2000)).toBe(4000);
    schedule.hurry(['storage']);
    expect(schedule.waitMs(2000)).toBe(0);
  });

  it('knows since when a part is out of date, until it is answered again', () => {
    schedule.answered('queue', 1000);
    schedule.answered('storage', 3000);
    expect(schedule.oldestStale).toBe(null);
    schedule.failed('storage');
    schedule.failed('queue');
    schedule.failed('queue');
    expect(schedule.stale('storage')).toEqual({ sinceMs: 3000 });
    expect(schedule.oldestStale).toEqual({ sinceMs: 1000 });
    schedule.answered('queue', 9000);
    expect([schedule.stale('queue'), schedule.oldestStale]).toEqual([null, { sinceMs: 3000 }]);
  });

  it('knows parts that never came, and forgets those that may not be read', () => {
    schedule.failed('storage');
    expect(schedule.oldestStale).toEqual({ sinceMs: null });
    schedule.forget('storage');
    expect(schedule.oldestStale).toBe(null);
  });
});

describe('polling', () => {
  let page;
  let loaders;
  let poller;
  let schedule;

  beforeEach(() => {
    vi.useFakeTimers();
    page = Object.assign(new EventTarget(), { hidden: false });
    loaders = { queue: vi.fn(async () => 'queue'), storage: vi.fn(async () => 'storage') };
    schedule = new PollSchedule(PERIODS_MS);
    poller = new PartPoller(schedule, loaders, { document: page });
  });

  afterEach(() => vi.useRealTimers());

  const calls = () => [loaders.queue.mock.calls.length, loaders.storage.mock.calls.length];

  it('goes on, often and seldom', async () => {
    await poller.start();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(calls()).toEqual([7, 2]);
  });

  it('rests while the tab is hidden and goes on when it is shown', async () => {
    await poller.start();
    page.hidden = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls()).toEqual([1, 1]);
    page.hidden = false;
    page.dispatchEvent(new Event('visibilitychange'));
    expect(calls()).toEqual([2, 2]);
  });

  it('never asks twice at once', async () => {
    loaders.queue.mockImplementation(() => new Promise(() => {}));
    void poller.start();
    page.dispatchEvent(new Event('visibilitychange'));
    void poller.hurry();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(calls()).toEqual([1, 1]);
  });

  it('keeps trying what fails, and shows the rest', async () => {
    const [queue, failed] = [vi.fn(), vi.fn()];
    poller.on('queue', queue);
    poller.on('failed', failed);
    loaders.storage.mockRejectedValue(new Failure('unreachable'));
    await poller.start();
    expect(queue).toHaveBeenCalledWith('queue');
    expect(failed.mock.calls[0][0].name).toBe('storage');
    expect(schedule.oldestStale).toEqual({ sinceMs: null });
  });

  it('asks nothing during a change, shows nothing from before it, and then asks for all', async () => {
    const shown = vi.fn();
    poller.on('queue', shown);
    let answer;
    loaders.queue.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    void poller.start();
    let finish;
    const change = poller.during(() => new Promise((resolve) => (finish = resolve)));
    answer('from before');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(shown).not.toHaveBeenCalled();
    expect(calls()).toEqual([1, 1]);
    finish('done');
    expect(await change).toBe('done');
    await vi.advanceTimersByTimeAsync(0);
    expect(calls()).toEqual([2, 2]);
    expect(shown).toHaveBeenCalledWith('queue');
  });
});

describe('access', () => {
  const visitor = (signedIn, admin) => {
    const access = new AdminAccess();
    access.adopt({ required: true, signedIn, admin });
    return access;
  };

  it.each([
    ['signed_out', false, false],
    ['key_only', true, false],
    ['full', true, true],
    ['full', false, true],
  ])('is %s (signed in: %s, administrator: %s)', (state, signedIn, admin) => {
    const access = visitor(signedIn, admin);
    expect([access.state, access.mayRead]).toEqual([state, admin]);
  });

  it('is for looking only once a change was refused, until one tries again', () => {
    const access = visitor(true, true);
    access.refuse(new Failure('origin_forbidden', { message: 'not from here' }));
    expect([access.state, access.mayRead]).toEqual(['refused', true]);
    access.retry();
    expect(access.state).toBe('full');
  });

  it.each([
    ['unauthorized', true],
    ['origin_forbidden', true],
    ['forbidden', true],
    ['unreachable', false],
    ['not_found', false],
  ])('%s: is it a refusal?', (code, expected) => {
    expect(isRefusal(new Failure(code))).toBe(expected);
  });
});

describe('a change', () => {
  const make = async (run) => {
    const toaster = { news: vi.fn(), failure: vi.fn() };
    const onRefused = vi.fn();
    const poller = { during: (change) => change() };
    const changes = new AdminChanges({ poller, toaster, onRefused });
    const made = await changes.make(run, () => ({ key: 'admin.estimates_saved' }));
    return { made, told: toaster.news.mock.calls[0]?.[0], toaster, onRefused };
  };

  it('is told when it was made, and when there was nothing left to change', async () => {
    const done = await make(async () => ({ success: true }));
    expect([done.made, done.told]).toEqual([true, 'admin.estimates_saved']);
    expect((await make(async () => ({ success: false }))).told).toBe('admin.gone');
  });

  it('that is refused makes the page read-only instead of failing again and again', async () => {
    const refused = await make(() => Promise.reject(new Failure('unauthorized')));
    expect([refused.made, refused.onRefused.mock.calls.length]).toEqual([false, 1]);
    expect(refused.toaster.failure).not.toHaveBeenCalled();
  });

  it('that fails otherwise is told as a failure', async () => {
    const failed = await make(() => Promise.reject(new Failure('timeout')));
    expect(failed.toaster.failure.mock.calls[0][0].code).toBe('timeout');
  });
});

describe('running sessions', () => {
  const task = {
    worker_id: 'worker_0',
    request_type: 'omni_duplex',
    started_at: '2026-01-02T03:04:05',
    elapsed_s: 5,
    estimated_remaining_s: 85,
  };
  const session = { ...task, session_id: 'omni_1', last_active: task.started_at, active: true };

  it('have the name by which they are ended', () => {
    const [row] = runningSessions([session], [task]);
    expect(row).toMatchObject({ session_id: 'omni_1', elapsed_s: 5 });
  });

  it('are listed without it where the names may not be read', () => {
    expect(runningSessions(null, [task])[0]).toMatchObject({ session_id: '', remaining_s: 85 });
  });

  it('come with the conversations that workers keep', () => {
    const kept = { ...session, session_id: 'worker_0', active: false };
    expect(runningSessions([kept], [task]).map((row) => row.kept)).toEqual([false, true]);
  });
});

describe('the course of a number', () => {
  it('is its last sixty points, by worker', () => {
    const history = new PointHistory();
    for (let value = 0; value < 70; value += 1) history.add('a', value);
    expect(history.add('a', 70)).toEqual(Array.from({ length: 60 }, (_, index) => index + 11));
    history.keep(['b']);
    expect(history.add('a', 1)).toEqual([1]);
  });

  it('ends at the right, with its highest value at the top', () => {
    expect(polyline([0, 50, 100], { width: 59, height: 10, top: 100 })).toBe('57,10 58,5 59,0');
  });
});

it('sizes and moments read the same in every language', () => {
  const sizes = [512, 1536, 3 * 2 ** 30].map(sizeText);
  expect(sizes).toEqual(['512 B', '1.5 KiB', '3.0 GiB']);
  expect(stampText('2026-01-02T03:04:05.678+00:00')).toBe('2026-01-02 03:04:05');
  expect(stampText(null)).toBe('–');
});
