// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { Conversation } from '../../static/lib/conversation.js';
import { Emitter } from '../../static/lib/emitter.js';
import { ChatController } from '../../static/pages/chat-controller.js';
import { MessageActions } from '../../static/pages/message-actions.js';
import { openTurnbasedSettings } from '../../static/state/turnbased-settings.js';
import { SafeStorage } from '../../static/state/storage.js';
import { AttachmentList } from '../../static/ui/attachment-list.js';
import { QueueBanner } from '../../static/ui/queue-banner.js';
import { TranscriptView } from '../../static/ui/transcript-view.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

const WORDS = { en: () => import('../../static/i18n/chat-en.js') };
const text = (words) => ({ type: 'text', text: words });
const image = (name) => ({ type: 'image', data: 'aW1n', name, url: `blob:${name}`, width: 3, height: 2 });

let actions;
let chat;
let log;
let transport;

class FakeTransport extends Emitter {
  requests = [];
  stop = vi.fn();

  send(request) {
    return this.requests.push(request);
  }

  answer(words) {
    const id = this.requests.length;
    this.emit('done', { id, text: words, generatedTokens: 1, inputTokens: 1, stopped: false });
  }
}

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  await translator.add(WORDS);
  vi.stubGlobal('ResizeObserver', class { observe() {} });
  log = document.createElement('div');
  document.body.append(log);
  transport = new FakeTransport();
  const part = (tag) => document.createElement(tag);
  chat = new ChatController({
    transport,
    transcript: new TranscriptView({
      log, scroller: part('div'), announcer: part('p'), jump: part('button'),
    }),
    queueBanner: new QueueBanner(part('div'), () => {}),
    poller: new Emitter(),
    settings: openTurnbasedSettings(new SafeStorage(() => new MemoryStorage())),
    consent: { given: false },
    persona: { opening: { content: [], voice: null } },
    speech: { begin() {}, hear() {}, end() {}, stop: () => null, release() {} },
    actions: {
      copy: vi.fn(),
      edit: (turn, view) => actions.edit(turn, view),
      resend: (turn) => actions.resend(turn),
      remove: (turn) => actions.remove(turn),
    },
    remedies: {},
  });
  actions = new MessageActions(chat);
});

const messages = () => transport.requests.at(-1).messages.map(({ content }) => content);
const question = (index) => log.querySelectorAll('.question')[index];
const settled = () => new Promise((resolve) => setTimeout(resolve));

function press(label, root = document.body) {
  const named = (button) => [button.textContent, button.getAttribute('aria-label')].includes(label);
  [...root.querySelectorAll('button')].find(named).click();
  return settled();
}

/** Closes the question that was asked; the stand-in browser does not submit dialogs itself. */
function answerDialog(value) {
  const dialog = document.querySelector('dialog');
  dialog.close(value);
  return settled();
}

async function talk(...questions) {
  for (const words of questions) {
    chat.send([text(words)]);
    transport.answer(`re: ${words}`);
  }
}

describe('editing', () => {
  it('changes what was said and keeps what was answered', async () => {
    await talk('one', 'two');
    await press('Edit', question(0));
    question(0).querySelector('textarea').value = 'ONE';
    await press('Save', question(0));
    expect(transport.requests).toHaveLength(2);
    await talk('three');
    expect(messages()).toEqual(['ONE', 're: one', 'two', 're: two', 'three']);
  });

  it('that is given up changes nothing', async () => {
    await talk('one');
    await press('Edit', question(0));
    question(0).querySelector('textarea').value = 'ONE';
    await press('Cancel', question(0));
    expect(question(0).querySelector('.question-text').textContent).toBe('one');
    expect(question(0).querySelector('form')).toBe(null);
  });

  it('may take files away and put them in another order', async () => {
    chat.send([image('a.png'), image('b.png'), image('c.png'), text('look')]);
    transport.answer('yes');
    await press('Edit', question(0));
    await press('Remove b.png', question(0));
    await press('Move c.png forward', question(0));
    await press('Save', question(0));
    const names = [...question(0).querySelectorAll('img')].map(({ alt }) => alt);
    expect(names).toEqual(['c.png', 'a.png']);
  });
});

describe('sending again', () => {
  it('from the last message asks for another answer at once', async () => {
    await talk('one', 'two');
    await press('Send again from here', question(1));
    expect(messages()).toEqual(['one', 're: one', 'two']);
    expect(log.querySelectorAll('.answer')).toHaveLength(2);
  });

  it('from an earlier one drops what came later, after a question', async () => {
    await talk('one', 'two');
    await press('Send again from here', question(0));
    await answerDialog('no');
    expect(transport.requests).toHaveLength(2);
    await press('Send again from here', question(0));
    await answerDialog('yes');
    expect(messages()).toEqual(['one']);
    expect(log.querySelectorAll('.question')).toHaveLength(1);
  });
});

describe('deleting', () => {
  it('takes a message and its answer out, after a question', async () => {
    await talk('one', 'two');
    await press('Delete', question(0));
    await answerDialog('yes');
    expect(log.textContent).not.toContain('one');
    await talk('three');
    expect(messages()).toEqual(['two', 're: two', 'three']);
  });
});

describe('another conversation', () => {
  it('takes the place of this one, whose answer stops and is kept as interrupted', () => {
    const changed = vi.fn();
    chat.on('changed', changed);
    chat.send([text('one')]);
    const left = chat.conversation;
    transport.emit('delta', { id: 1, text: 'half' });
    const kept = new Conversation();
    Object.assign(kept.ask([text('old')]), { answer: '**Yes**', state: 'complete' });
    chat.show(kept);
    expect(left.last).toMatchObject({ answer: 'half', state: 'interrupted' });
    expect(log.querySelector('.answer strong').textContent).toBe('Yes');
    expect(chat.answering).toBe(false);
    changed.mockClear();
    transport.answer('half and half');
    expect(left.last.answer).toBe('half and half');
    expect(changed).toHaveBeenCalledWith(left);
    expect(log.textContent).not.toContain('half');
  });
});

it('an answer that is under way makes way for a message that is sent meanwhile', () => {
  chat.send([text('one')]);
  transport.emit('delta', { id: 1, text: 'half' });
  chat.send([text('two')]);
  expect(messages()).toEqual(['one', 'half', 'two']);
  expect(log.querySelector('.answer').dataset.state).toBe('stopped');
});

it('a request can be named to whoever runs the service', async () => {
  await talk('one');
  const request = log.querySelector('.fact-copy');
  expect(request.textContent).toMatch(/^Request chat_\w+$/);
});

it('files move by button, and the focus stays on it', () => {
  const list = document.createElement('ul');
  document.body.append(list);
  const attachments = new AttachmentList(list, () => {});
  ['a', 'b', 'c'].forEach((name, id) => attachments.add(id, image(name)));
  const later = list.querySelector('[aria-label="Move a back"]');
  later.focus();
  later.click();
  later.click();
  expect(attachments.order).toEqual([1, 2, 0]);
  expect(document.activeElement).toBe(later);
});
