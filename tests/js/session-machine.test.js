import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Failure } from '../../static/lib/failure.js';
import { SessionMachine } from '../../static/lib/session-machine.js';
import { FakeConnection, FakeMedia, FakePlayer, listen, spoken } from './fake-call.js';

const EVENTS = ['state', 'queue', 'retry', 'paused', 'stall', 'slow', 'context', 'warning', 'end'];

let connections;
let player;
let media;
let machine;
let events;

beforeEach(() => {
  vi.useFakeTimers();
  connections = [];
  player = new FakePlayer();
  media = new FakeMedia();
  machine = new SessionMachine({
    player,
    connect: () => {
      connections.push(new FakeConnection());
      return connections.at(-1);
    },
  });
  events = [];
  for (const name of EVENTS) machine.on(name, (event) => events.push([name, event]));
});

afterEach(() => vi.useRealTimers());

const connection = () => connections.at(-1);
const heard = (name) => events.filter(([event]) => event === name).map(([, payload]) => payload);
const states = () => heard('state').map(({ state }) => state);
const settle = () => vi.advanceTimersByTimeAsync(0);
const options = () => ({ media, prepare: { systemPrompt: 'Hello' } });

async function begin(more = {}) {
  await machine.start({ ...options(), ...more });
}

async function goLive(more = {}, prepared = {}) {
  await begin(more);
  connection().emit('assigned', {});
  connection().emit('prepared', { window: { mode: 'auto' }, ...prepared });
  await settle();
}

function chunk(extra = {}) {
  media.emit('chunk', { samples: new Float32Array(16_000), frame: null, endMs: 0, ...extra });
}

describe('a call', () => {
  it('goes from the click to live, and prepares only once it has a model', async () => {
    await begin();
    expect(player.unlock).toHaveBeenCalledBefore(media.open);
    expect(connection().prepare).not.toHaveBeenCalled();
    connection().emit('assigned', {});
    expect(connection().prepare).toHaveBeenCalledWith({ systemPrompt: 'Hello' });
    expect(media.start).not.toHaveBeenCalled();
    connection().emit('prepared', { window: null });
    await settle();
    expect(states()).toEqual(['opening', 'connecting', 'assigned', 'preparing', 'live']);
    expect(media.start).toHaveBeenCalledOnce();
  });

  it('asks for the microphone before it takes a place in the queue', async () => {
    media.open.mockReturnValue(new Promise(() => {}));
    void machine.start(options());
    await settle();
    expect(connections).toHaveLength(0);
    expect(machine.state).toBe('opening');
  });

  it('fails before it connects when the microphone is refused', async () => {
    media.open.mockRejectedValue(new Failure('mic_denied'));
    await begin();
    expect(connections).toHaveLength(0);
    expect(machine.state).toBe('failed');
    expect(heard('end')[0].failure.code).toBe('mic_denied');
  });

  it('lets go of a microphone that is allowed after the visitor has given up', async () => {
    let allow;
    media.open.mockReturnValue(new Promise((resolve) => { allow = resolve; }));
    void machine.start(options());
    machine.stop();
    media.close.mockClear();
    allow();
    await settle();
    expect(media.close).toHaveBeenCalledOnce();
    expect(connections).toHaveLength(0);
  });

  it('can follow another', async () => {
    await goLive();
    machine.stop();
    connection().emit('stopped', {});
    media = new FakeMedia();
    await goLive();
    expect(connections).toHaveLength(2);
    expect(machine.state).toBe('live');
  });

  it('sends what it hears, and nothing before it is live', async () => {
    await begin();
    chunk();
    expect(connection().sent).toEqual([]);
    connection().emit('assigned', {});
    connection().emit('prepared', { window: null });
    await settle();
    chunk({ frame: 'jpeg' });
    expect(connection().sent).toEqual([
      expect.objectContaining({ frame: 'jpeg', forceListen: false, maxSliceNums: null }),
    ]);
  });
});

describe('the queue', () => {
  it('is told, and can be left', async () => {
    await begin();
    connection().emit('queue', { position: 2, estimatedWaitS: 20, queueLength: 3 });
    expect(machine.state).toBe('queued');
    expect(heard('queue')[0].position).toBe(2);
    machine.stop();
    expect(machine.state).toBe('idle');
    expect(heard('end')[0].reason).toBe('cancelled');
    expect(connection().close).toHaveBeenCalled();
    expect(connection().stop).not.toHaveBeenCalled();
  });

  it('that is lost is joined again after 1, 2 and 4 seconds, then given up', async () => {
    await begin();
    connection().emit('queue', { position: 1, estimatedWaitS: 5, queueLength: 1 });
    for (const waitMs of [1000, 2000, 4000]) {
      connection().emit('close', { failure: new Failure('connection_lost') });
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      const before = connections.length;
      await vi.advanceTimersByTimeAsync(1);
      expect(connections).toHaveLength(before + 1);
    }
    connection().emit('close', { failure: new Failure('unreachable') });
    expect(heard('retry')).toHaveLength(3);
    expect(machine.state).toBe('failed');
    expect(heard('end')[0].failure.code).toBe('unreachable');
  });

  it('that is full is told and not joined again', async () => {
    await begin();
    connection().emit('error', { failure: new Failure('queue_full') });
    connection().emit('close', { failure: new Failure('connection_lost') });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(connections).toHaveLength(1);
    expect(heard('end')).toEqual([{ reason: 'failed', failure: new Failure('queue_full') }]);
  });

  it.each([
    ['connecting', 10_000, () => {}],
    ['preparing', 60_000, () => connection().emit('assigned', {})],
  ])('is not waited for for ever while %s', async (state, limitMs, act) => {
    await begin();
    act();
    expect(machine.state).toBe(state);
    await vi.advanceTimersByTimeAsync(limitMs);
    expect(machine.state).toBe('failed');
    expect(heard('end')[0].failure.code).toBe('timeout');
  });

  it('whose connection closes while preparing does not leave the call hanging', async () => {
    await begin();
    connection().emit('assigned', {});
    connection().emit('close', { failure: new Failure('connection_lost') });
    expect(machine.state).toBe('failed');
    expect(media.close).toHaveBeenCalled();
  });
});

describe('stopping', () => {
  it('a live call asks the service to stop, though a queue message came before', async () => {
    await begin();
    connection().emit('queue', { position: 1, estimatedWaitS: 1, queueLength: 1 });
    connection().emit('assigned', {});
    connection().emit('prepared', { window: null });
    await settle();
    machine.stop();
    expect(connection().stop).toHaveBeenCalledOnce();
    expect(connection().diagnose.mock.calls[0][0]).toMatchObject({ event: 'session_summary' });
    expect(machine.state).toBe('stopping');
    connection().emit('stopped', {});
    expect(heard('end')).toEqual([{ reason: 'stopped', failure: null }]);
  });

  it('is over after a second even when the service says nothing', async () => {
    await goLive();
    machine.stop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(machine.state).toBe('ended');
  });

  it('silences the model at once', async () => {
    await goLive();
    connection().emit('result', spoken('Hello'));
    player.aheadMs = 800;
    machine.stop();
    expect(player.stopAll).toHaveBeenCalledOnce();
    expect(media.close).toHaveBeenCalled();
  });

  it('comes by itself once a file is over and the model has finished', async () => {
    await goLive();
    chunk();
    media.emit('ended', {});
    expect(machine.state).toBe('live');
    connection().emit('result', spoken('Well'));
    player.aheadMs = 500;
    connection().emit('result', listen());
    expect(machine.state).toBe('live');
    player.aheadMs = 0;
    player.emit('idle', {});
    connection().emit('stopped', {});
    expect(heard('end')[0].reason).toBe('media_ended');
  });
});

describe('a pause', () => {
  beforeEach(() => goLive());

  it('begins once the service has confirmed it and all that was said has been heard', async () => {
    connection().emit('result', spoken('Goodbye'));
    player.aheadMs = 400;
    machine.pause();
    expect(media.pause).toHaveBeenCalledOnce();
    chunk();
    expect(connection().sent).toEqual([]);
    connection().emit('paused', { timeoutS: 60 });
    await vi.advanceTimersByTimeAsync(300);
    expect(machine.state).toBe('pausing');
    player.aheadMs = 40;
    await vi.advanceTimersByTimeAsync(100);
    expect(machine.state).toBe('paused');
    expect(heard('paused')).toEqual([{ timeoutS: 60 }]);
  });

  async function pauseAndConfirm() {
    machine.pause();
    connection().emit('paused', { timeoutS: 60 });
    await vi.advanceTimersByTimeAsync(100);
  }

  it('ends once the service has confirmed it, and does not count as time of the call', async () => {
    await vi.advanceTimersByTimeAsync(3000);
    await pauseAndConfirm();
    await vi.advanceTimersByTimeAsync(20_000);
    machine.resume();
    expect(machine.state).toBe('paused');
    connection().emit('resumed', {});
    expect(machine.state).toBe('live');
    expect(media.resume).toHaveBeenCalledOnce();
    expect(machine.elapsedMs).toBe(3000);
  });

  it('that lasts too long ends the call with its reason', async () => {
    await pauseAndConfirm();
    connection().emit('timeout', { failure: new Failure('session_timeout') });
    connection().emit('close', { failure: new Failure('connection_lost') });
    expect(heard('end')).toEqual([{ reason: 'pause_expired', failure: null }]);
  });

  it('is no failure of the chunks that were under way', async () => {
    chunk();
    machine.pause();
    connection().emit('error', { failure: new Failure('unknown', { message: 'Worker is paused' }) });
    expect(heard('warning')).toEqual([]);
  });

  it('is not mistaken for a stalled connection', async () => {
    await pauseAndConfirm();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(heard('stall')).toEqual([]);
  });
});

describe('trouble in a call', () => {
  it('silence of the service is told, and that it is over', async () => {
    await goLive();
    await vi.advanceTimersByTimeAsync(5000);
    connection().emit('result', listen());
    expect(heard('stall')).toEqual([{ stalled: true }, { stalled: false }]);
  });

  it('a slow network loses pictures before sound', async () => {
    await goLive();
    connection().bufferedBytes = 2_000_000;
    chunk({ frame: 'jpeg' });
    connection().bufferedBytes = 0;
    chunk({ frame: 'jpeg' });
    expect(connection().sent.map(({ frame }) => frame)).toEqual([null, 'jpeg']);
    expect(heard('slow')).toEqual([{ slow: true }, { slow: false }]);
  });

  it('an error is a warning as long as the connection stands', async () => {
    await goLive();
    connection().emit('error', { failure: new Failure('inference_error') });
    expect(machine.state).toBe('live');
    expect(heard('warning')).toHaveLength(1);
  });

  it('a lost worker is the reason when the connection closes', async () => {
    await goLive();
    connection().emit('error', { failure: new Failure('worker_lost') });
    connection().emit('close', { failure: new Failure('connection_lost') });
    expect(machine.state).toBe('ended');
    expect(heard('end')[0].failure.code).toBe('worker_lost');
    expect(connections).toHaveLength(1);
  });

  it('a full context ends the call only where the service forgets nothing', async () => {
    await goLive({ contextLimit: 1000 }, { window: { mode: 'off' } });
    connection().emit('result', listen({ kvCacheLength: 810 }));
    connection().emit('result', listen({ kvCacheLength: 820 }));
    connection().emit('result', listen({ kvCacheLength: 960 }));
    expect(heard('context')).toEqual([{ level: 0.8 }, { level: 0.95 }]);
    connection().emit('result', listen({ kvCacheLength: 1000 }));
    connection().emit('stopped', {});
    expect(heard('end')[0].reason).toBe('context_full');
  });

  it('a large context is no matter where it is a window', async () => {
    await goLive({ contextLimit: 1000 }, { window: { mode: 'auto' } });
    connection().emit('result', listen({ kvCacheLength: 5000 }));
    expect(machine.state).toBe('live');
    expect(heard('context')).toEqual([]);
  });

  it('a gap is reported with what went before', async () => {
    await goLive();
    for (let index = 0; index < 7; index += 1) connection().emit('result', listen());
    player.emit('gap', { gapIndex: 1, gapMs: 90 });
    const [report] = connection().diagnose.mock.calls[0];
    expect(report).toMatchObject({ event: 'gap', gapMs: 90 });
    expect(report.recent).toHaveLength(5);
  });

  it('what comes from an older connection is not heard', async () => {
    await goLive();
    const old = connection();
    machine.stop();
    old.emit('stopped', {});
    media = new FakeMedia();
    await goLive();
    old.emit('result', spoken('ghost'));
    expect(player.push).not.toHaveBeenCalled();
  });
});

