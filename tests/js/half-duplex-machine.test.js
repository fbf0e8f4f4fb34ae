import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { bytesToBase64 } from '../../static/lib/base64.js';
import { HalfDuplexMachine } from '../../static/lib/half-duplex-machine.js';
import { floatsToBytes } from '../../static/lib/pcm.js';
import { HalfDuplexConnection } from '../../static/net/half-duplex-api.js';
import { openJsonSocket } from '../../static/net/socket.js';
import { FakeMedia, FakePlayer } from './fake-call.js';
import { FakeSocket } from './fakes.js';

const EVENTS = ['phase', 'userTurn', 'turnStart', 'turnText', 'turnEnd', 'cut', 'truncated',
  'nothing', 'stall', 'slow', 'warning', 'note', 'end'];
const SOUND = bytesToBase64(floatsToBytes(new Float32Array(24_000)));

let player;
let media;
let machine;
let events;
let posts;
let stopAnswers; // what the service says when it is asked to stop an answer

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.opened = [];
  player = new FakePlayer();
  player.playedMs = 0;
  media = new FakeMedia();
  media.restart = vi.fn();
  posts = 0;
  stopAnswers = () => new Response('{"success": true}');
  machine = new HalfDuplexMachine({
    player,
    connect: () =>
      new HalfDuplexConnection({ protocol: 'https:', host: 'host' }, {
        open: (url, handlers) => openJsonSocket(url, handlers, FakeSocket),
        isOnline: () => true,
        fetch: async () => {
          posts += 1;
          return stopAnswers();
        },
      }),
  });
  events = [];
  for (const name of EVENTS) machine.on(name, (event) => events.push([name, event]));
});

afterEach(() => vi.useRealTimers());

const socket = () => FakeSocket.opened.at(-1);
const heard = (name) => events.filter(([event]) => event === name).map(([, payload]) => payload);
const phases = () => heard('phase').map(({ phase }) => phase);
const sent = (type) => socket().sent.filter((message) => message.type === type);
const pass = (delayMs) => vi.advanceTimersByTimeAsync(delayMs);
const chunk = () => media.emit('chunk', { samples: new Float32Array(8000), endMs: 0 });
const say = (type, fields = {}) => socket().say({ type, ...fields });
const answer = (text, data = SOUND, epoch = 0) =>
  say('chunk', { text_delta: text, audio_data: data, audio_epoch: epoch });

async function goLive() {
  await machine.start({ media, prepare: { content: [], limitS: 300 } });
  socket().readyState = 1;
  say('queue_done');
  say('prepared', { session_id: 'x', timeout_s: 300 });
  await pass(0);
}

async function ask(speechMs = 1500) {
  say('vad_state', { speaking: true });
  await pass(2000);
  say('vad_state', { speaking: false });
  say('generating', { speech_duration_ms: speechMs });
}

describe('a turn', () => {
  beforeEach(goLive);

  it('goes from listening to the answer and back', async () => {
    await ask();
    answer('Hello');
    player.aheadMs = 900;
    say('turn_done', { turn_index: 1, text: 'Hello', warning: 'The disk is full' });
    await pass(200);
    player.aheadMs = 0;
    await pass(1000);
    expect(phases()).toEqual(
      ['listening', 'hearing', 'listening', 'thinking', 'answering', 'resting', 'listening'],
    );
    expect(heard('note')).toEqual([{ text: 'The disk is full' }]);
    expect(heard('turnEnd')).toEqual([{ reason: 'listen' }]);
  });

  it('is told with its number, and with when and how long the visitor spoke', async () => {
    await pass(5000);
    await ask(1500);
    expect(heard('userTurn')).toEqual([{ turn: 1, startMs: 5000, endMs: 6500 }]);
  });

  it('sends sound only while the model is silent', async () => {
    chunk();
    await ask();
    chunk();
    answer('Hello');
    player.aheadMs = 500;
    chunk();
    say('turn_done', { turn_index: 1, text: 'Hello' });
    await pass(2000);
    chunk();
    expect(sent('audio_chunk')).toHaveLength(1);
    player.aheadMs = 0;
    await pass(100);
    await pass(799);
    chunk();
    expect(sent('audio_chunk')).toHaveLength(1);
    expect(media.restart).not.toHaveBeenCalled();
    await pass(1);
    expect(media.restart).toHaveBeenCalledOnce(); // what the microphone heard meanwhile is dropped
    chunk();
    expect(sent('audio_chunk')).toHaveLength(2);
  });

  it('that was too short to be one changes nothing', () => {
    say('vad_state', { speaking: true });
    say('vad_state', { speaking: false });
    chunk();
    expect(machine.answering).toBe(false);
    expect(heard('userTurn')).toEqual([]);
    expect(sent('audio_chunk')).toHaveLength(1);
  });

  it('in which the model says nothing is told, and is over', async () => {
    await ask();
    answer(null, null);
    say('turn_done', { turn_index: 1, text: '' });
    await pass(800);
    expect(heard('nothing')).toHaveLength(1);
    expect(heard('turnStart')).toEqual([]);
    expect(phases().at(-1)).toBe('listening');
  });

  it('that fails on the service is a warning, and the call goes on', async () => {
    await ask();
    answer('Hel');
    say('error', { code: 'inference_error', error: 'broken' });
    await pass(800);
    expect(heard('warning')[0].failure.code).toBe('inference_error');
    expect(machine.state).toBe('live');
    expect(phases().at(-1)).toBe('listening');
  });

  it('that the service stops by itself silences what it had said', async () => {
    await ask();
    answer('Hello', SOUND, 0);
    player.aheadMs = 700;
    say('turn_done', { turn_index: 1, text: 'Hello', interrupted: true, audio_epoch: 1 });
    expect(player.stopAll).toHaveBeenCalledOnce();
    expect(sent('playback')).toEqual([{ type: 'playback', audio_epoch: 0, played_ms: 300 }]);
  });
});

describe('stopping an answer', () => {
  beforeEach(goLive);

  it('silences at once, tells how much was heard, and asks the service to stop', async () => {
    await ask();
    answer('Once upon a time');
    player.aheadMs = 600;
    machine.stopAnswer();
    expect(player.stopAll).toHaveBeenCalledOnce();
    expect(sent('playback')).toEqual([{ type: 'playback', audio_epoch: 0, played_ms: 400 }]);
    expect(posts).toBe(1);
    expect(heard('turnEnd')).toEqual([{ reason: 'interrupted' }]);
    expect(machine.state).toBe('live');
    expect(sent('stop')).toEqual([]);
  });

  it('drops what was under way, and listens after the service has stopped', async () => {
    await ask();
    answer('Once');
    player.aheadMs = 600;
    machine.stopAnswer();
    player.push.mockClear();
    answer(' upon');
    expect(player.push).not.toHaveBeenCalled();
    await pass(5000);
    expect(phases().at(-1)).toBe('resting');
    say('turn_done', { turn_index: 1, text: 'Once upon', stopped: true, interrupted: true, audio_epoch: 1 });
    say('truncated', { audio_epoch: 0, text: 'Once' });
    await pass(800);
    expect(phases().at(-1)).toBe('listening');
    expect(heard('truncated')).toEqual([{ text: 'Once' }]);
    await ask();
    answer('Yes?', SOUND, 1);
    expect(player.push).toHaveBeenCalledOnce();
  });

  it('before its first word says that nothing was heard, and changes no earlier answer', async () => {
    await ask();
    machine.stopAnswer();
    expect(sent('playback')).toEqual([{ type: 'playback', audio_epoch: 0, played_ms: 0 }]);
    answer('Late');
    say('turn_done', { turn_index: 1, text: 'Late', stopped: true });
    say('truncated', { audio_epoch: 0, text: '' });
    await pass(800);
    expect(heard('turnStart')).toEqual([]);
    expect(heard('truncated')).toEqual([]);
    expect(heard('nothing')).toEqual([]);
    expect(phases().at(-1)).toBe('listening');
  });

  it('between two pieces of sound tells how much of it was heard', async () => {
    await ask();
    answer('One');
    [player.aheadMs, player.playedMs] = [0, 1000];
    machine.stopAnswer();
    expect(sent('playback')).toEqual([{ type: 'playback', audio_epoch: 0, played_ms: 1000 }]);
  });

  it('that only still sounds needs no more of the service', async () => {
    await ask();
    answer('Hello');
    player.aheadMs = 600;
    say('turn_done', { turn_index: 1, text: 'Hello' });
    machine.stopAnswer();
    expect(sent('playback')).toHaveLength(1);
    expect(posts).toBe(0);
    await pass(800);
    expect(phases().at(-1)).toBe('listening');
    await ask();
    answer('Again');
    expect(player.push).toHaveBeenCalledTimes(2);
  });

  it('is asked for again where the service had not begun yet', async () => {
    stopAnswers = () => new Response(JSON.stringify({ success: posts > 1 }));
    await ask();
    machine.stopAnswer();
    await pass(300);
    expect(posts).toBe(2);
    await pass(5000);
    expect(posts).toBe(2);
  });

  it('is not asked for again once the answer is over', async () => {
    stopAnswers = () => new Response('{"success": false}');
    await ask();
    machine.stopAnswer();
    say('turn_done', { turn_index: 1, text: '' });
    await pass(5000);
    expect(posts).toBe(1);
  });

  it('that fails is told, and the end of the answer is waited for', async () => {
    stopAnswers = () => {
      throw new Error('no network');
    };
    await ask();
    machine.stopAnswer();
    await pass(0);
    expect(heard('warning')[0].failure.code).toBe('unreachable');
    say('turn_done', { turn_index: 1, text: 'Hello' });
    await pass(800);
    expect(phases().at(-1)).toBe('listening');
  });

  it('does nothing where there is none', async () => {
    machine.stopAnswer();
    await ask();
    say('turn_done', { turn_index: 1, text: '' });
    machine.stopAnswer(); // resting
    expect(posts).toBe(0);
    expect(sent('playback')).toEqual([]);
    expect(machine.state).toBe('live');
  });
});

describe('the call', () => {
  beforeEach(goLive);

  it('ends while the model speaks, silences it and tells how it went', async () => {
    await ask();
    answer('Hello');
    player.aheadMs = 500;
    machine.stop();
    expect(player.stopAll).toHaveBeenCalledOnce();
    expect(sent('client_diagnostic')[0]).toMatchObject({ event: 'session_summary', turns: 1 });
    expect(sent('stop')).toHaveLength(1);
    say('stopped', { session_id: 'x' });
    expect(heard('end')).toEqual([{ reason: 'stopped', failure: null }]);
    await pass(5000);
    expect(media.restart).not.toHaveBeenCalled();
  });

  it.each(['session_timeout', 'idle_timeout'])('ends with the %s of the service', (reason) => {
    say('timeout', { elapsed_s: 300, reason });
    expect(machine.state).toBe('ended');
    expect(heard('end')[0].failure.code).toBe(reason);
    expect(media.close).toHaveBeenCalled();
  });

  it('is not taken for stalled while nobody speaks, but while an answer is due', async () => {
    await pass(60_000);
    expect(heard('stall')).toEqual([]);
    await ask();
    await pass(5000);
    expect(heard('stall')).toEqual([{ stalled: true }]);
    say('turn_done', { turn_index: 1, text: '' });
    await pass(60_000);
    expect(heard('stall')).toEqual([{ stalled: true }, { stalled: false }]);
  });

  it('that is lost keeps its reason', () => {
    say('error', { code: 'worker_lost', error: 'gone' });
    socket().hangUp();
    expect(heard('end')).toEqual([{ reason: 'failed', failure: expect.objectContaining({ code: 'worker_lost' }) }]);
  });

  it('tells that the network does not keep up', () => {
    socket().bufferedAmount = 2_000_000;
    chunk();
    expect(heard('slow')).toEqual([{ slow: true }]);
  });
});
