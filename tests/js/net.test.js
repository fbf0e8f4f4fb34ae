import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { loadApps } from '../../static/net/catalog-api.js';
import { getJson } from '../../static/net/http.js';
import { socketUrl } from '../../static/net/socket.js';
import { StatusPoller } from '../../static/net/status-poller.js';
import { fakeFetch } from './fakes.js';

describe('JSON over HTTP', () => {
  const failureOf = (answer) =>
    getJson('/x', { fetch: fakeFetch({ '/x': answer }) }).catch((failure) => failure);

  it('answers with the body', async () => {
    expect(await getJson('/x', { fetch: fakeFetch({ '/x': [200, { a: 1 }] }) })).toEqual({ a: 1 });
  });

  it.each([
    ['its code', [503, { code: 'queue_full', error: 'full' }], { code: 'queue_full', detail: 'full' }],
    ['not ready for a server error', [502, 'oops'], { code: 'not_ready', detail: 'HTTP 502' }],
    ['bad answer for another', [404, {}], { code: 'bad_answer' }],
    ['bad answer for a page instead of JSON', [200, '<html>'], { code: 'bad_answer' }],
    ['unreachable without an answer', new TypeError('no'), { code: 'unreachable' }],
    ['a timeout', new DOMException('slow', 'TimeoutError'), { code: 'timeout' }],
  ])('fails with %s', async (_, answer, expected) => {
    expect(await failureOf(answer)).toMatchObject(expected);
  });

  it('lists the apps', async () => {
    const apps = [{ app_id: 'turnbased', name: 'Chat', route: '/turnbased' }];
    expect(await loadApps({ fetch: fakeFetch({ '/api/apps': [200, { apps }] }) })).toEqual(apps);
  });
});

it('sockets are as secure as the page', () => {
  const url = (protocol) => socketUrl({ protocol, host: 'host:8006' }, '/ws/chat');
  expect(url('https:')).toBe('wss://host:8006/ws/chat');
  expect(url('http:')).toBe('ws://host:8006/ws/chat');
});

describe('asking for the status', () => {
  let page;
  let load;
  let poller;

  beforeEach(() => {
    vi.useFakeTimers();
    page = Object.assign(new EventTarget(), { hidden: false });
    load = vi.fn(async () => ({ idle_workers: 1 }));
    poller = new StatusPoller({ document: page, load });
  });

  afterEach(() => vi.useRealTimers());

  it('goes on every three seconds', async () => {
    await poller.start();
    await vi.advanceTimersByTimeAsync(6000);
    expect(load).toHaveBeenCalledTimes(3);
    expect(poller.latest).toEqual({ idle_workers: 1 });
  });

  it('rests while the tab is hidden and goes on when it is shown', async () => {
    await poller.start();
    page.hidden = true;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(load).toHaveBeenCalledTimes(1);
    page.hidden = false;
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(3000);
    expect(load).toHaveBeenCalledTimes(3);
  });

  it('never asks twice at once', async () => {
    load.mockImplementation(() => new Promise(() => {}));
    void poller.start();
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('tells of a failure, forgets the old status, and keeps trying', async () => {
    const told = vi.fn();
    poller.on('unreachable', told);
    await poller.start();
    load.mockRejectedValueOnce(new Error('gone'));
    await vi.advanceTimersByTimeAsync(3000);
    expect(told).toHaveBeenCalledOnce();
    expect(poller.latest).toBe(null);
    await vi.advanceTimersByTimeAsync(3000);
    expect(poller.latest).toEqual({ idle_workers: 1 });
  });
});
