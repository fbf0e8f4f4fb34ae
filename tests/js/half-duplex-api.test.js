import { beforeEach, describe, expect, it } from 'vitest';

import { base64ToBytes, bytesToBase64 } from '../../static/lib/base64.js';
import { bytesToFloats, floatsToBytes } from '../../static/lib/pcm.js';
import { HalfDuplexConnection } from '../../static/net/half-duplex-api.js';
import { openJsonSocket } from '../../static/net/socket.js';
import { FakeSocket } from './fakes.js';

const EVENTS = ['queue', 'assigned', 'prepared', 'hearing', 'generating', 'chunk', 'turnDone',
  'truncated', 'stopped', 'timeout', 'error', 'close'];

const SETTINGS = {
  record: false,
  content: [{ type: 'text', text: 'Be kind' }],
  threshold: 0.8,
  minSilenceMs: 800,
  maxNewTokens: 256,
  lengthPenalty: 1.1,
  temperature: 0.7,
  spoken: true,
  limitS: 300,
};

let connection;
let events;
let posts;
let answer;

beforeEach(() => {
  FakeSocket.opened = [];
  [events, posts] = [[], []];
  connection = new HalfDuplexConnection({ protocol: 'https:', host: 'host' }, {
    open: (url, handlers) => openJsonSocket(url, handlers, FakeSocket),
    isOnline: () => true,
    fetch: async (url, options) => {
      posts.push({ url, ...options });
      return answer;
    },
  });
  for (const name of EVENTS) connection.on(name, (event) => events.push([name, event]));
  FakeSocket.opened[0].readyState = 1;
});

const socket = () => FakeSocket.opened[0];

describe('what is said', () => {
  it('goes to an address of its own that tells the mode', () => {
    expect(socket().url).toMatch(/^wss:\/\/host\/ws\/half_duplex\/hdx_[a-z0-9]+_[a-f0-9]{12}$/);
  });

  it('begins with the settings, and with texts and voices in their order', () => {
    const voice = { type: 'audio', data: 'AAAA', name: 'me', durationS: 3 };
    connection.prepare(SETTINGS);
    connection.prepare({ ...SETTINGS, record: true, content: [voice], spoken: false });
    const [plain, other] = socket().sent;
    expect(plain).toEqual({
      type: 'prepare',
      record: false,
      system_content: [{ type: 'text', text: 'Be kind' }],
      config: {
        vad: { threshold: 0.8, min_silence_duration_ms: 800 },
        generation: { max_new_tokens: 256, length_penalty: 1.1, temperature: 0.7 },
        tts: { enabled: true },
        session: { timeout_s: 300 },
      },
    });
    expect(other.system_content).toEqual([{ type: 'audio', data: 'AAAA' }]);
    expect(other.record).toBe(true);
    expect(other.config.tts).toEqual({ enabled: false });
  });

  it('is sound, how much of an answer was heard, and the end', () => {
    const samples = Float32Array.of(0.5, -0.25);
    connection.sendChunk(samples);
    connection.reportPlayback({ audioEpoch: 2, playedMs: 420 });
    connection.stop();
    const [chunk, ...others] = socket().sent;
    expect(chunk.type).toBe('audio_chunk');
    expect(bytesToFloats(base64ToBytes(chunk.audio_base64))).toEqual(samples);
    expect(others).toEqual([
      { type: 'playback', audio_epoch: 2, played_ms: 420 }, { type: 'stop' },
    ]);
  });
});

describe('stopping an answer', () => {
  it('names the call, and tells whether there was an answer', async () => {
    answer = new Response('{"success": true}');
    expect(await connection.stopAnswer()).toBe(true);
    answer = new Response('{"success": false, "message": "none"}');
    expect(await connection.stopAnswer()).toBe(false);
    const [{ url, method, headers, body }] = posts;
    expect([url, method]).toEqual(['/api/half_duplex/stop', 'POST']);
    expect(headers['content-type']).toBe('application/json');
    expect(socket().url.endsWith(`/${JSON.parse(body).session_id}`)).toBe(true);
  });

  it('fails in words when the service refuses', async () => {
    answer = new Response('{"code": "unauthorized", "error": "no key"}', { status: 401 });
    await expect(connection.stopAnswer()).rejects.toMatchObject({ code: 'unauthorized' });
  });
});

describe('what is heard', () => {
  it.each([
    [{ type: 'queue_done' }, 'assigned', {}],
    [{ type: 'prepared', session_id: 'x', timeout_s: 120 }, 'prepared',
      { timeoutS: 120, recordingSessionId: null, warning: null }],
    [{ type: 'prepared', session_id: 'x', timeout_s: 9, recording_session_id: 'r', warning: 'w' },
      'prepared', { timeoutS: 9, recordingSessionId: 'r', warning: 'w' }],
    [{ type: 'vad_state', speaking: true }, 'hearing', { speaking: true }],
    [{ type: 'generating', speech_duration_ms: 1500 }, 'generating', { speechMs: 1500 }],
    [{ type: 'turn_done', turn_index: 1, text: 'Hi', stopped: true, interrupted: true, audio_epoch: 3,
      warning: 'w' },
      'turnDone', { text: 'Hi', stopped: true, interrupted: true, audioEpoch: 3, warning: 'w' }],
    [{ type: 'turn_done', turn_index: 2, text: '' }, 'turnDone',
      { text: '', stopped: false, interrupted: false, audioEpoch: 0, warning: null }],
    [{ type: 'truncated', audio_epoch: 2, text: 'H' }, 'truncated', { audioEpoch: 2, text: 'H' }],
    [{ type: 'stopped', session_id: 'x' }, 'stopped', {}],
  ])('%o is %s', (message, name, event) => {
    socket().say(message);
    expect(events).toEqual([[name, event]]);
  });

  it('is text, sound, or the mark that nothing more comes', () => {
    const samples = Float32Array.of(0.5, -0.5);
    const sound = bytesToBase64(floatsToBytes(samples));
    socket().say({ type: 'chunk', text_delta: 'Hi', audio_data: sound, audio_epoch: 4 });
    socket().say({ type: 'chunk', text_delta: null, audio_data: null, is_final: true });
    expect(events).toEqual([
      ['chunk', { text: 'Hi', samples, audioEpoch: 4 }],
      ['chunk', { text: '', samples: null, audioEpoch: 0 }],
    ]);
  });

  it.each(['session_timeout', 'idle_timeout'])('is the %s', (reason) => {
    socket().say({ type: 'timeout', elapsed_s: 60, reason });
    expect(events[0][0]).toBe('timeout');
    expect(events[0][1].failure.code).toBe(reason);
  });
});
