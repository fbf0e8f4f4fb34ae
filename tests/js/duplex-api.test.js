import { beforeEach, describe, expect, it } from 'vitest';

import { base64ToBytes, bytesToBase64 } from '../../static/lib/base64.js';
import { bytesToFloats, floatsToBytes } from '../../static/lib/pcm.js';
import { newSessionId } from '../../static/net/call-connection.js';
import { DuplexConnection } from '../../static/net/duplex-api.js';
import { openJsonSocket } from '../../static/net/socket.js';
import { FakeSocket } from './fakes.js';

const EVENTS = ['queue', 'assigned', 'prepared', 'result', 'paused', 'resumed', 'stopped',
  'timeout', 'error', 'close'];

const [OPEN, CLOSED] = [1, 3];

let connection;
let events;
let online;

beforeEach(() => {
  FakeSocket.opened = [];
  online = true;
  connection = new DuplexConnection('wss://host/ws/duplex/adx_1', {
    open: (url, handlers) => openJsonSocket(url, handlers, FakeSocket),
    isOnline: () => online,
  });
  events = [];
  for (const name of EVENTS) connection.on(name, (event) => events.push([name, event]));
  FakeSocket.opened[0].readyState = OPEN;
});

const socket = () => FakeSocket.opened[0];

describe('what is said', () => {
  it('begins with the prompt, and with voices only where they were chosen', () => {
    const settings = {
      record: false, systemPrompt: 'Be kind', lengthPenalty: 1.05, maxSliceNums: null,
    };
    connection.prepare({ ...settings, promptVoice: null, speechVoice: null });
    connection.prepare({
      ...settings, record: true, maxSliceNums: 2, promptVoice: 'AAAA', speechVoice: 'BBBB',
    });
    const plain = {
      type: 'prepare',
      record: false,
      system_prompt: 'Be kind',
      config: { length_penalty: 1.05 },
      deferred_finalize: true,
    };
    expect(socket().sent).toEqual([
      plain,
      {
        ...plain, record: true, max_slice_nums: 2, ref_audio_base64: 'AAAA',
        tts_ref_audio_base64: 'BBBB',
      },
    ]);
  });

  it('is sound, with a picture and a command where there are any', () => {
    const samples = Float32Array.of(0.5, -0.25);
    connection.sendChunk({ samples, frame: null, forceListen: false, maxSliceNums: 2 });
    connection.sendChunk({ samples, frame: 'jpeg', forceListen: true, maxSliceNums: 2 });
    const [sound, all] = socket().sent;
    expect(Object.keys(sound)).toEqual(['type', 'audio_base64']);
    expect(bytesToFloats(base64ToBytes(sound.audio_base64))).toEqual(samples);
    expect(all).toMatchObject({
      type: 'audio_chunk', frame_base64_list: ['jpeg'], force_listen: true, max_slice_nums: 2,
    });
  });

  it('is how the call goes on and ends', () => {
    connection.pause();
    connection.resume();
    connection.reportPlayback({ audioEpoch: 3, playedMs: 420 });
    connection.stop();
    expect(socket().sent).toEqual([
      { type: 'pause' },
      { type: 'resume' },
      { type: 'playback', audio_epoch: 3, played_ms: 420 },
      { type: 'stop' },
    ]);
  });

  it('is nothing once the connection has gone', () => {
    socket().readyState = CLOSED;
    connection.stop();
    expect(socket().sent).toEqual([]);
  });
});

describe('what is heard', () => {
  it('are the queue, the model, and its readiness', () => {
    const place = { position: 2, estimated_wait_s: 9.5, queue_length: 4 };
    socket().say({ type: 'queued', ticket_id: 't', ...place });
    socket().say({ type: 'queue_done' });
    const window = { mode: 'auto', high: 8000, low: 6000 };
    socket().say({ type: 'prepared', prompt_length: 40, recording_session_id: 'r', window });
    expect(events).toEqual([
      ['queue', { position: 2, estimatedWaitS: 9.5, queueLength: 4 }],
      ['assigned', {}],
      ['prepared', { promptLength: 40, recordingSessionId: 'r', window, warning: null }],
    ]);
  });

  it('is a second of speech', () => {
    const samples = Float32Array.of(0.5, -0.5);
    socket().say({
      type: 'result', is_listen: false, text: 'Hi', audio_data: bytesToBase64(floatsToBytes(samples)),
      end_of_turn: true, current_time: 4, wall_clock_ms: 512.3, cost_all_ms: 480, audio_epoch: 2,
      kv_cache_length: 900, vision_slices: 1, vision_tokens: 64, server_send_ts: 1700000000.5,
      warning: 'disk full',
    });
    expect(events).toEqual([['result', {
      isListen: false, text: 'Hi', samples, endOfTurn: true, audioEpoch: 2, interrupted: false,
      skipped: false, reason: null, warning: 'disk full', wallClockMs: 512.3, costAllMs: 480, kvCacheLength: 900,
      visionSlices: 1, visionTokens: 64, serverSendMs: 1700000000500,
    }]]);
  });

  it('is a second of listening, or of nothing at all', () => {
    socket().say({ type: 'result', is_listen: true, audio_data: null });
    socket().say({ type: 'result', is_listen: true, skipped: true, reason: 'late' });
    expect(events.map(([, event]) => [event.isListen, event.samples, event.skipped, event.reason]))
      .toEqual([[true, null, false, null], [true, null, true, 'late']]);
  });

  it.each([
    [{ type: 'paused', timeout: 60 }, 'paused', { timeoutS: 60 }],
    [{ type: 'resumed' }, 'resumed', {}],
    [{ type: 'stopped', session_id: 'x', audio_epoch: 1 }, 'stopped', {}],
  ])('%o is %s', (message, name, event) => {
    socket().say(message);
    expect(events).toEqual([[name, event]]);
  });

  it('are failures with their codes', () => {
    socket().say({ type: 'error', code: 'queue_full', error: 'Queue full' });
    socket().say({ type: 'timeout', reason: 'Pause timeout (60.0s)' });
    expect(events.map(([name, { failure }]) => [name, failure.code, failure.detail])).toEqual([
      ['error', 'queue_full', 'Queue full'],
      ['timeout', 'session_timeout', 'Pause timeout (60.0s)'],
    ]);
  });

  it('is not fatal when it is new or unreadable', () => {
    socket().say({ type: 'sparkles' });
    socket().say('not json');
    expect(events).toEqual([]);
  });

  it.each([
    [true, false, 'unreachable'],
    [true, true, 'connection_lost'],
    [false, true, 'offline'],
  ])('online %s, heard %s: a closed connection is %s', (isOnline, heard, code) => {
    if (heard) socket().say({ type: 'queue_done' });
    online = isOnline;
    socket().hangUp();
    expect(events.at(-1)[1].failure.code).toBe(code);
  });
});

it('every call has an address of its own that tells its mode', () => {
  const ids = Array.from({ length: 50 }, () => newSessionId('adx'));
  expect(new Set(ids).size).toBe(50);
  for (const id of ids) expect(id).toMatch(/^adx_[a-z0-9]+_[a-f0-9]{12}$/);
});
