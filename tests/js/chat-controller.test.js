// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { Conversation } from '../../static/lib/conversation.js';
import { Emitter } from '../../static/lib/emitter.js';
import { Failure } from '../../static/lib/failure.js';
import { ChatController } from '../../static/pages/chat-controller.js';
import { RecordingConsent } from '../../static/state/consent.js';
import { SafeStorage } from '../../static/state/storage.js';
import { openTurnbasedSettings } from '../../static/state/turnbased-settings.js';
import { QueueBanner } from '../../static/ui/queue-banner.js';
import { TranscriptView } from '../../static/ui/transcript-view.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

class FakeTransport extends Emitter {
  requests = [];
  stop = vi.fn();

  send(request) {
    return this.requests.push(request);
  }
}

class FakeSpeech {
  begin = vi.fn();
  hear = vi.fn();
  end = vi.fn();
  stop = vi.fn(() => null);
  release = vi.fn();
}

const SECOND = new Float32Array(24_000);
const DONE = { text: 'Hello', generatedTokens: 2, inputTokens: 9, stopped: false };
const hello = [{ type: 'text', text: 'hello' }];

let log;
let queue;
let transport;
let poller;
let settings;
let consent;
let speech;
let persona;
let chat;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal('ResizeObserver', class { observe() {} });
  await speakEnglish(translator);
  [log, queue] = [document.createElement('div'), document.createElement('div')];
  transport = new FakeTransport();
  poller = new Emitter();
  const storage = new SafeStorage(() => new MemoryStorage());
  settings = openTurnbasedSettings(storage);
  consent = new RecordingConsent(storage);
  speech = new FakeSpeech();
  persona = { opening: { content: [], voice: null } };
  const transcript = new TranscriptView({
    log,
    scroller: document.createElement('div'),
    announcer: document.createElement('p'),
    jump: document.createElement('button'),
  });
  chat = new ChatController({
    transport,
    transcript,
    queueBanner: new QueueBanner(queue, () => chat.stop()),
    poller,
    settings,
    consent,
    speech,
    persona,
    actions: { copy() {}, edit() {}, resend() {}, remove() {} },
    remedies: { new: { key: 'chat.new', run: () => {} } },
  });
});

afterEach(() => vi.useRealTimers());

const answers = () => [...log.querySelectorAll('.answer')];
const words = () => answers().at(-1).querySelector('.answer-body').textContent;
const waiting = () => !queue.firstElementChild.hidden;

describe('a message', () => {
  it('is answered as it streams, with the counts below', () => {
    chat.send(hello);
    expect(transport.requests[0].messages).toEqual([{ role: 'user', content: 'hello' }]);
    transport.emit('prefill', { id: 1, inputTokens: 9 });
    vi.advanceTimersByTime(300);
    transport.emit('delta', { id: 1, text: 'Hel' });
    transport.emit('delta', { id: 1, text: 'lo' });
    expect(words()).toBe('Hello');
    vi.advanceTimersByTime(1700);
    transport.emit('done', { id: 1, ...DONE });
    const lines = [...log.querySelectorAll('.facts ul')].map((line) =>
      [...line.children].map((fact) => fact.textContent.replace(/chat_\w+/, '…')),
    );
    expect(lines).toEqual([
      ['2 s in all'],
      ['0.3 s to the first words', '1.7 s to write'],
      ['9 tokens in', '2 tokens out', '2 pieces', 'Request …'],
    ]);
    expect(chat.answering).toBe(false);
  });

  it('is answered at once when streaming is off', () => {
    settings.set('streaming', false);
    chat.send(hello);
    expect(transport.requests[0].streaming).toBe(false);
    transport.emit('done', { id: 1, ...DONE });
    expect(words()).toBe('Hello');
    expect(log.textContent).not.toContain('to the first words');
  });

  it('carries what was said before', () => {
    chat.send(hello);
    transport.emit('done', { id: 1, ...DONE });
    chat.send([{ type: 'text', text: 'more' }]);
    expect(transport.requests[1].messages.map((message) => message.content)).toEqual([
      'hello',
      'Hello',
      'more',
    ]);
  });

  it('may be recorded only where the visitor has agreed', () => {
    chat.send(hello);
    transport.emit('done', { id: 1, ...DONE });
    consent.keep(true);
    chat.askAgain();
    expect(transport.requests.map(({ record }) => record)).toEqual([false, true]);
  });

  it('ignores what belongs to another request', () => {
    chat.send(hello);
    transport.emit('delta', { id: 7, text: 'stray' });
    transport.emit('done', { id: 7, ...DONE });
    expect(words()).toBe('');
    expect(chat.answering).toBe(true);
  });
});

describe('asking again', () => {
  it('replaces the last answer and does not send it', () => {
    chat.send(hello);
    transport.emit('done', { id: 1, ...DONE });
    chat.askAgain();
    expect(answers()).toHaveLength(1);
    expect(transport.requests[1].messages).toEqual([{ role: 'user', content: 'hello' }]);
  });

  it('is not possible while an answer is under way, or before there is one', () => {
    chat.askAgain();
    chat.send(hello);
    chat.askAgain();
    expect(transport.requests).toHaveLength(1);
  });
});

describe('stopping', () => {
  it('keeps the words, marks them, and sends them with the next message', () => {
    chat.send(hello);
    transport.emit('delta', { id: 1, text: 'Hel' });
    chat.stop();
    expect(transport.stop).toHaveBeenCalledOnce();
    transport.emit('done', { id: 1, ...DONE, text: 'Hello', stopped: true });
    expect(words()).toBe('Hel');
    expect(answers()[0].dataset.state).toBe('stopped');
    chat.send([{ type: 'text', text: 'go on' }]);
    expect(transport.requests[1].messages[1]).toEqual({ role: 'assistant', content: 'Hel' });
  });
});

describe('a spoken answer', () => {
  const sound = Float32Array.of(0.5);

  it('is asked for in the chosen voice, heard piece by piece, and ended', () => {
    settings.set('speak', true);
    persona.opening = { content: [], voice: 'AAAA' };
    chat.send(hello);
    expect(transport.requests[0]).toMatchObject({
      tts: { enabled: true, mode: 'audio_assistant', ref_audio_data: 'AAAA' },
      use_tts_template: true,
    });
    expect(speech.begin).toHaveBeenCalledOnce();
    transport.emit('audio', { id: 1, samples: sound });
    transport.emit('audio', { id: 7, samples: sound });
    expect(speech.hear.mock.calls).toEqual([[sound]]);
    expect(speech.end).not.toHaveBeenCalled();
    transport.emit('done', { id: 1, ...DONE });
    expect(speech.end).toHaveBeenCalledOnce();
  });

  it('is not asked for unless it is switched on', () => {
    chat.send(hello);
    expect(transport.requests[0]).not.toHaveProperty('tts');
    expect(speech.begin).not.toHaveBeenCalled();
  });

  it('is silenced before the service is told how much was heard', () => {
    chat.send(hello);
    speech.stop.mockReturnValue(1200);
    chat.stop();
    expect(transport.stop).toHaveBeenCalledWith(1200);
  });

  it('makes way for the next question, and goes with the chat', () => {
    chat.send(hello);
    transport.emit('done', { id: 1, ...DONE });
    speech.stop.mockClear();
    chat.send(hello);
    expect(speech.stop).toHaveBeenCalledOnce();
    chat.show(new Conversation());
    expect(speech.release).toHaveBeenCalledOnce();
  });

  it('that fails is played as far as it came', () => {
    chat.send(hello);
    transport.emit('error', { id: 1, failure: new Failure('worker_lost') });
    expect(speech.end).toHaveBeenCalledOnce();
  });

  it('that could not be spoken says why among its facts', () => {
    chat.send(hello);
    transport.emit('done', { id: 1, ...DONE, warning: 'the answer is text only' });
    expect(log.querySelector('.facts').textContent).toContain('Note: the answer is text only');
  });
});

describe('a failure', () => {
  it('is told in the answer, keeps its words, and can be tried again', () => {
    chat.send(hello);
    transport.emit('delta', { id: 1, text: 'Hel' });
    transport.emit('error', { id: 1, failure: new Failure('worker_lost') });
    expect(words()).toBe('Hel');
    log.querySelector('.failure button').click();
    expect(transport.requests).toHaveLength(2);
    expect(log.querySelector('.failure')).toBe(null);
  });

  it('of one message does not come back with the next', () => {
    chat.send([{ type: 'image', data: 'broken', name: 'x', url: 'blob:1' }]);
    transport.emit('error', { id: 1, failure: new Failure('bad_message') });
    chat.send(hello);
    expect(transport.requests[1].messages).toEqual([{ role: 'user', content: 'hello' }]);
  });
});

describe('waiting', () => {
  it('shows the place and counts down until a worker is found', () => {
    chat.send(hello);
    transport.emit('queue', { id: 1, position: 2, estimatedWaitS: 12.4, queueLength: 4 });
    vi.advanceTimersByTime(2000);
    expect(queue.textContent).toContain('Place 2 of 4');
    expect(queue.textContent).toContain('about 0:10');
    transport.emit('ready', { id: 1 });
    expect(waiting()).toBe(false);
    expect(log.textContent).toContain('Reading your message…');
  });

  it('shows the place alone while no time can be told', () => {
    chat.send(hello);
    transport.emit('queue', { id: 1, position: 2, estimatedWaitS: null, queueLength: 4 });
    vi.advanceTimersByTime(5000);
    expect(queue.textContent).toContain('Place 2 of 4');
    expect(queue.querySelector('.queue-time').hidden).toBe(true);
  });

  it('is estimated from the status when the gateway says nothing', () => {
    const busy = { idle_workers: 0, queue_length: 2, running_tasks: [{ estimated_remaining_s: 5 }] };
    poller.emit('status', busy);
    expect(waiting()).toBe(false);
    chat.send(hello);
    poller.emit('status', busy);
    expect(queue.textContent).toContain('about 0:20');
    transport.emit('queue', { id: 1, position: 1, estimatedWaitS: 8, queueLength: 1 });
    poller.emit('status', busy);
    expect(queue.textContent).toContain('about 0:08');
    transport.emit('prefill', { id: 1, inputTokens: 9 });
    poller.emit('status', busy);
    expect(waiting()).toBe(false);
  });

  it('ends with Cancel', () => {
    chat.send(hello);
    transport.emit('queue', { id: 1, position: 2, estimatedWaitS: 12, queueLength: 4 });
    queue.querySelector('button').click();
    expect(transport.stop).toHaveBeenCalledOnce();
  });
});

it('a new chat forgets everything and ignores what is late', () => {
  chat.send(hello);
  chat.show(new Conversation());
  transport.emit('delta', { id: 1, text: 'late' });
  expect(chat.empty).toBe(true);
  expect(log.children).toHaveLength(0);
  chat.send([{ type: 'text', text: 'fresh' }]);
  expect(transport.requests[1].messages).toEqual([{ role: 'user', content: 'fresh' }]);
});

describe('sound that is cut', () => {
  const historyOf = (request) => request.messages.map(({ content }) => content);

  beforeEach(() => {
    settings.set('speak', true);
    chat.send(hello);
    for (const text of ['One', ' two', ' three']) {
      transport.emit('delta', { id: 1, text });
      transport.emit('audio', { id: 1, samples: SECOND });
    }
  });

  it('leaves only the words that were heard in the conversation', () => {
    speech.stop.mockReturnValue(1500);
    chat.stop();
    expect(transport.stop).toHaveBeenCalledWith(1500);
    transport.emit('done', { ...DONE, id: 1, stopped: true });
    speech.stop.mockReturnValue(null);
    chat.send(hello);
    expect(historyOf(transport.requests[1])).toEqual(['hello', 'One two', 'hello']);
    expect(log.textContent).toContain('One two three');
  });

  it('counts after the answer is complete, too', () => {
    transport.emit('delta', { id: 1, text: '.' });
    transport.emit('done', { ...DONE, id: 1 });
    speech.stop.mockReturnValueOnce(500);
    chat.send(hello);
    expect(historyOf(transport.requests[1])).toEqual(['hello', 'One', 'hello']);
  });

  it('keeps all words of an answer that was heard to the end', () => {
    transport.emit('delta', { id: 1, text: '.' });
    transport.emit('done', { ...DONE, id: 1 });
    speech.stop.mockReturnValueOnce(2500);
    chat.send(hello);
    expect(historyOf(transport.requests[1])).toEqual(['hello', 'One two three.', 'hello']);
  });
});
