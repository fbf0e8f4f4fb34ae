import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { bytesToBase64 } from '../../static/lib/base64.js';
import { MAX_REQUEST_CHARACTERS } from '../../static/lib/limits.js';
import { floatsToBytes } from '../../static/lib/pcm.js';
import { ChatSocketTransport } from '../../static/net/chat-api.js';
import { openJsonSocket } from '../../static/net/socket.js';
import { FakeSocket } from './fakes.js';

const EVENTS = ['queue', 'ready', 'prefill', 'delta', 'audio', 'done', 'error'];
const REQUEST = { messages: [{ role: 'user', content: 'hello' }] };

let transport;
let events;
let online;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.opened = [];
  online = true;
  transport = new ChatSocketTransport('wss://host/ws/chat', {
    open: (url, handlers) => openJsonSocket(url, handlers, FakeSocket),
    isOnline: () => online,
  });
  events = [];
  for (const name of EVENTS) {
    transport.on(name, ({ id, ...payload }) => events.push([name, id, payload]));
  }
});

afterEach(() => vi.useRealTimers());

const socket = () => FakeSocket.opened.at(-1);
const names = () => events.map(([name]) => name);

function sendAndAccept() {
  const id = transport.send(REQUEST);
  socket().accept();
  return id;
}

it('a request is named to the service by its address', () => {
  transport.send(REQUEST, 'chat_1');
  expect(socket().url).toBe('wss://host/ws/chat?request_id=chat_1');
});

describe('an answer', () => {
  it('comes as prefill, deltas and done', () => {
    const id = sendAndAccept();
    expect(socket().sent).toEqual([REQUEST]);
    socket().say({ type: 'prefill_done', input_tokens: 9 });
    socket().say({ type: 'chunk', text_delta: 'Hel' });
    socket().say({ type: 'chunk', text_delta: 'lo' });
    socket().say({ type: 'done', text: 'Hello', generated_tokens: 2, input_tokens: 9 });
    expect(events).toEqual([
      ['prefill', id, { inputTokens: 9 }],
      ['delta', id, { text: 'Hel' }],
      ['delta', id, { text: 'lo' }],
      ['done', id, {
        text: 'Hello',
        generatedTokens: 2,
        inputTokens: 9,
        stopped: false,
        warning: null,
        recordingSessionId: null,
      }],
    ]);
    expect(socket().closed).toBe(true);
  });

  it('brings sound as samples', () => {
    const id = sendAndAccept();
    const audio_data = bytesToBase64(floatsToBytes(Float32Array.of(0.5, -0.5)));
    socket().say({ type: 'chunk', audio_data });
    const samples = Float32Array.of(0.5, -0.5);
    expect(events).toEqual([['audio', id, { samples, sampleRate: 24_000 }]]);
  });

  it('that is not streamed brings all of its sound with its end, and a warning', () => {
    sendAndAccept();
    const audio_data = bytesToBase64(floatsToBytes(Float32Array.of(0.5)));
    socket().say({ type: 'done', text: 'Hi', audio_data, warning: 'the voice was cropped' });
    expect(names()).toEqual(['audio', 'done']);
    expect(events[1][2].warning).toBe('the voice was cropped');
  });

  it('drops sound of an epoch that has passed', () => {
    sendAndAccept();
    const audio_data = bytesToBase64(floatsToBytes(Float32Array.of(0.5)));
    socket().say({ type: 'chunk', audio_data, audio_epoch: 0 });
    socket().say({ type: 'chunk', text_delta: 'new', audio_epoch: 1 });
    socket().say({ type: 'chunk', audio_data, audio_epoch: 0 });
    socket().say({ type: 'chunk', audio_data, audio_epoch: 1 });
    expect(names()).toEqual(['audio', 'delta', 'audio']);
  });

  it('passes over what a newer server adds, and what is not JSON', () => {
    sendAndAccept();
    socket().say({ type: 'brand_new' });
    socket().say('not JSON');
    socket().say('null');
    expect(events).toEqual([]);
  });
});

describe('the queue', () => {
  it('is told with place, estimate and length, and its end', () => {
    const id = sendAndAccept();
    socket().say({ type: 'queued', position: 3, estimated_wait_s: 30.5, queue_length: 4 });
    socket().say({ type: 'queue_update', position: 1, estimated_wait_s: null, queue_length: 2 });
    socket().say({ type: 'queue_done' });
    expect(events).toEqual([
      ['queue', id, { position: 3, estimatedWaitS: 30.5, queueLength: 4 }],
      ['queue', id, { position: 1, estimatedWaitS: null, queueLength: 2 }],
      ['ready', id, {}],
    ]);
  });

  it('is left at once by closing the socket, which cancels the ticket', () => {
    sendAndAccept();
    socket().say({ type: 'queued', position: 3, estimated_wait_s: 30, queue_length: 4 });
    transport.stop();
    expect(socket().closed).toBe(true);
    expect(socket().sent).toEqual([REQUEST]);
    expect(events.at(-1)).toMatchObject(['done', 1, { stopped: true, text: null }]);
  });
});

describe('stopping', () => {
  beforeEach(() => {
    sendAndAccept();
    socket().say({ type: 'prefill_done', input_tokens: 9 });
    socket().say({ type: 'chunk', text_delta: 'Hel' });
    transport.stop();
  });

  it('asks the server, drops late text, and takes its counts', () => {
    expect(socket().sent.at(-1)).toEqual({ type: 'stop' });
    socket().say({ type: 'chunk', text_delta: 'late' });
    socket().say({ type: 'done', text: 'Hellate', generated_tokens: 2, input_tokens: 9 });
    expect(names()).toEqual(['prefill', 'delta', 'done']);
    expect(events.at(-1)[2]).toMatchObject({ stopped: true, generatedTokens: 2 });
  });

  it('ends by itself when the server says nothing for a second', () => {
    vi.advanceTimersByTime(999);
    expect(names()).toEqual(['prefill', 'delta']);
    vi.advanceTimersByTime(1);
    expect(events.at(-1)).toMatchObject(['done', 1, { stopped: true, text: null }]);
    expect(socket().closed).toBe(true);
  });

  it('counts as stopped, not as failed, when the socket closes', () => {
    socket().hangUp();
    expect(events.at(-1)).toMatchObject(['done', 1, { stopped: true }]);
  });

  it('is asked for once', () => {
    transport.stop();
    expect(socket().sent.filter((message) => message.type === 'stop')).toHaveLength(1);
  });
});

describe('stopping while an answer is spoken', () => {
  it('tells how much of it was heard', () => {
    sendAndAccept();
    socket().say({ type: 'chunk', text_delta: 'Hel', audio_epoch: 2 });
    transport.stop(1234.5);
    expect(socket().sent.slice(1)).toEqual([
      { type: 'playback', audio_epoch: 2, played_ms: 1235 },
      { type: 'stop' },
    ]);
  });

  it('drops the sound of an answer that ends meanwhile', () => {
    sendAndAccept();
    socket().say({ type: 'prefill_done', input_tokens: 9 });
    transport.stop(0);
    const audio_data = bytesToBase64(floatsToBytes(Float32Array.of(0.5)));
    socket().say({ type: 'done', text: 'Hi', audio_data });
    expect(names()).toEqual(['prefill', 'done']);
  });
});

describe('what is late', () => {
  it('is ignored after the next request was sent', () => {
    sendAndAccept();
    const late = socket();
    const second = sendAndAccept();
    late.say({ type: 'chunk', text_delta: 'old' });
    late.hangUp();
    socket().say({ type: 'chunk', text_delta: 'new' });
    expect(events).toEqual([['delta', second, { text: 'new' }]]);
    expect(late.closed).toBe(true);
  });

  it('is ignored after done', () => {
    sendAndAccept();
    socket().say({ type: 'done', text: '', generated_tokens: 0, input_tokens: 1 });
    socket().say({ type: 'chunk', text_delta: 'old' });
    socket().hangUp();
    expect(names()).toEqual(['done']);
  });
});

describe('failures', () => {
  const failure = () => events.at(-1)[2].failure;

  it('of the server name code and field', () => {
    sendAndAccept();
    socket().say({ type: 'error', error: 'too long', code: 'bad_message', field: 'x' });
    expect(failure()).toMatchObject({
      code: 'bad_message',
      detail: 'too long',
      field: 'x',
    });
  });

  it('without a code are unknown but keep their text', () => {
    sendAndAccept();
    socket().say({ type: 'error', error: 'Queue full' });
    expect(failure()).toMatchObject({ key: 'unknown', detail: 'Queue full' });
  });

  it('to connect are tried three times, then told', () => {
    transport.send(REQUEST);
    socket().hangUp();
    vi.advanceTimersByTime(400);
    socket().hangUp();
    vi.advanceTimersByTime(800);
    expect(FakeSocket.opened).toHaveLength(3);
    expect(events).toEqual([]);
    socket().hangUp();
    expect(failure().code).toBe('unreachable');
  });

  it('to connect are forgotten when a retry works', () => {
    transport.send(REQUEST);
    socket().hangUp();
    vi.advanceTimersByTime(400);
    socket().accept();
    socket().say({ type: 'chunk', text_delta: 'hi' });
    expect(socket().sent).toEqual([REQUEST]);
    expect(names()).toEqual(['delta']);
  });

  it('while one waits in the queue are retried, since nothing has come yet', () => {
    const retried = vi.fn();
    transport.on('retry', retried);
    const id = sendAndAccept();
    socket().say({ type: 'queued', position: 1, estimated_wait_s: 4, queue_length: 1 });
    socket().hangUp();
    expect(retried).toHaveBeenCalledWith({ id, tries: 1 });
    vi.advanceTimersByTime(400);
    socket().accept();
    expect(socket().sent).toEqual([REQUEST]);
  });

  it('in the middle of an answer are not retried', () => {
    sendAndAccept();
    socket().say({ type: 'prefill_done', input_tokens: 9 });
    socket().hangUp();
    expect(failure().code).toBe('connection_lost');
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it('without a network are told as such, without retries', () => {
    online = false;
    transport.send(REQUEST);
    socket().hangUp();
    expect(failure().code).toBe('offline');
    expect(FakeSocket.opened).toHaveLength(1);
  });

  it.each([[1009, 'too_large'], [1013, 'unreachable']])('closed with %i are %s', (code, expected) => {
    sendAndAccept();
    socket().hangUp(code);
    expect(failure().code).toBe(expected);
  });

  it('to open within ten seconds are timeouts', () => {
    transport.send(REQUEST);
    vi.advanceTimersByTime(10_000);
    expect(failure().code).toBe('timeout');
    expect(socket().closed).toBe(true);
  });

  it('of requests over the frame limit are told before anything is sent', async () => {
    const id = transport.send({ data: 'x'.repeat(MAX_REQUEST_CHARACTERS) });
    await Promise.resolve();
    expect(FakeSocket.opened).toHaveLength(0);
    expect(events).toMatchObject([['error', id, { failure: { code: 'too_large' } }]]);
  });
});
