import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SessionMachine } from '../../static/lib/session-machine.js';
import { FakeConnection, FakeMedia, FakePlayer, listen, spoken } from './fake-call.js';

const EVENTS = ['turnStart', 'turnText', 'turnEnd', 'cut', 'userText', 'note'];

let connection;
let player;
let media;
let machine;
let events;

beforeEach(async () => {
  vi.useFakeTimers();
  [connection, player, media] = [new FakeConnection(), new FakePlayer(), new FakeMedia()];
  machine = new SessionMachine({ player, connect: () => connection });
  events = [];
  for (const name of EVENTS) machine.on(name, (event) => events.push([name, event]));
  await machine.start({ media, prepare: {} });
  connection.emit('assigned', {});
  connection.emit('prepared', { window: null });
  await vi.advanceTimersByTimeAsync(0);
});

afterEach(() => vi.useRealTimers());

const heard = (name) => events.filter(([event]) => event === name).map(([, payload]) => payload);

function chunk() {
  media.emit('chunk', { samples: new Float32Array(16_000), frame: null, endMs: 0 });
}

describe('turns', () => {
  const turns = () => events.filter(([name]) => name.startsWith('turn')).map(([name, event]) => [
    name, event.text ?? event.reason,
  ]);

  it('begin with the first words and end with the end of turn', () => {
    connection.emit('result', listen());
    connection.emit('result', spoken('Hel'));
    connection.emit('result', spoken('lo', { endOfTurn: true }));
    connection.emit('result', listen());
    expect(turns()).toEqual([
      ['turnStart', undefined], ['turnText', 'Hel'], ['turnText', 'lo'], ['turnEnd', 'complete'],
    ]);
    expect(player.beginTurn).toHaveBeenCalledOnce();
    expect(player.endTurn).toHaveBeenCalledOnce();
  });

  it('go on while the service notes that it has stopped recording', () => {
    connection.emit('result', spoken('Hello', { warning: 'The disk is full' }));
    connection.emit('result', spoken(' there', { warning: null }));
    expect(heard('note')).toEqual([{ text: 'The disk is full' }]);
    expect(player.beginTurn).toHaveBeenCalledOnce();
  });

  it('end when the model listens without having ended them', () => {
    connection.emit('result', spoken('Hello'));
    connection.emit('result', listen());
    expect(turns().at(-1)).toEqual(['turnEnd', 'listen']);
  });

  it('are left alone by results that stand for no unit', () => {
    connection.emit('result', spoken('Hello'));
    connection.emit('result', listen({ skipped: true, reason: 'late' }));
    connection.emit('result', spoken(' there'));
    expect(player.beginTurn).toHaveBeenCalledOnce();
  });

  it('are cut when their epoch has passed, and the service learns how much was heard', () => {
    connection.emit('result', spoken('A long story'));
    player.aheadMs = 700;
    connection.emit('result', listen({ audioEpoch: 1, interrupted: true }));
    expect(connection.reportPlayback.mock.calls).toEqual([[{ audioEpoch: 0, playedMs: 300 }]]);
    expect(heard('cut')).toEqual([{ playedMs: 300, aheadMs: 700 }]);
    expect(turns().at(-1)).toEqual(['turnEnd', 'interrupted']);
  });

  it('of an epoch that has passed are dropped', () => {
    connection.emit('result', listen({ audioEpoch: 2 }));
    connection.emit('result', spoken('too late', { audioEpoch: 1 }));
    expect(player.push).not.toHaveBeenCalled();
    expect(turns()).toEqual([]);
  });

  it('do not report playback when nothing was sounding', () => {
    connection.emit('result', listen({ audioEpoch: 1, interrupted: true }));
    expect(connection.reportPlayback).not.toHaveBeenCalled();
  });

  it('bring what the service understood of the visitor', () => {
    connection.emit('result', listen({ text: 'hello' }));
    expect(heard('userText')).toEqual([{ text: 'hello' }]);
  });
});

describe('forced listening', () => {
  it('silences at once, is told with every chunk, and ends when it is switched off', () => {
    connection.emit('result', spoken('Blah'));
    player.aheadMs = 900;
    machine.forceListen = true;
    expect(player.stopAll).toHaveBeenCalledOnce();
    chunk();
    chunk();
    machine.forceListen = false;
    chunk();
    expect(connection.sent.map(({ forceListen }) => forceListen)).toEqual([true, true, false]);
  });

  it('drops speech that was under way, until the model listens', () => {
    machine.forceListen = true;
    connection.emit('result', spoken('still talking'));
    connection.emit('result', listen());
    machine.forceListen = false;
    connection.emit('result', spoken('new'));
    expect(heard('turnText').map(({ text }) => text)).toEqual(['new']);
  });

  it('switched on and off between two chunks is told once', () => {
    machine.forceListen = true;
    machine.forceListen = false;
    chunk();
    chunk();
    expect(connection.sent.map(({ forceListen }) => forceListen)).toEqual([true, false]);
  });
});
