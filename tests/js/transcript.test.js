// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { Failure } from '../../static/lib/failure.js';
import { AnswerView } from '../../static/ui/answer-view.js';
import { loadMarkdown, MarkdownStream } from '../../static/ui/markdown-stream.js';
import { markdownElements } from '../../static/ui/markdown-view.js';
import { QueueBanner } from '../../static/ui/queue-banner.js';
import { TranscriptView } from '../../static/ui/transcript-view.js';
import { speakEnglish } from './fakes.js';

let container;

beforeEach(async () => {
  await loadMarkdown();
  container = document.createElement('div');
  document.body.replaceChildren(container);
  await speakEnglish(translator);
});

describe('shown Markdown', () => {
  it('keeps markup of the model as text', () => {
    const attack = '<img src=x onerror=alert(1)>\n\n`</code><script>`\n\n```"><b>\n<svg onload=x>\n```';
    container.append(...markdownElements(attack));
    expect(container.querySelectorAll('img, script, svg, b')).toHaveLength(0);
    expect(container.textContent).toContain('<img src=x onerror=alert(1)>');
    expect(container.textContent).toContain('<svg onload=x>');
  });

  it('opens links elsewhere, without telling where from', () => {
    container.append(...markdownElements('[a](https://b.example)'));
    const link = container.querySelector('a');
    expect(link.target).toBe('_blank');
    expect(link.rel).toBe('noopener noreferrer');
  });

  it('has lists, tables, headings below those of the page, and code', () => {
    container.append(...markdownElements('# T\n\n2. a\n3. b\n\n|x|y|\n|-|-|\n|1|2|\n\n```py\nz\n```'));
    expect(container.querySelector('h3').textContent).toBe('T');
    expect(container.querySelector('ol').getAttribute('start')).toBe('2');
    expect(container.querySelectorAll('td')).toHaveLength(2);
    expect(container.querySelector('pre code').dataset.language).toBe('py');
  });
});

describe('a streamed answer', () => {
  it('is shown plain until its modules are there', async () => {
    vi.resetModules();
    const fresh = await import('../../static/ui/markdown-stream.js');
    const stream = new fresh.MarkdownStream(container);
    stream.push('**a** b');
    stream.finish();
    expect(container.textContent).toBe('**a** b');
    await vi.waitFor(() => expect(container.querySelector('strong')?.textContent).toBe('a'));
    expect(container.textContent).toBe('a b');
  });

  it('appends finished blocks and never touches them again', () => {
    const stream = new MarkdownStream(container);
    stream.push('first **par');
    stream.push('agraph**\n\nsec');
    const first = container.querySelector('p');
    expect(first.innerHTML).toBe('first <strong>paragraph</strong>');
    const changed = vi.fn();
    new MutationObserver(changed).observe(first, { subtree: true, childList: true });
    stream.push('ond');
    stream.finish();
    expect(container.querySelector('p')).toBe(first);
    expect(changed).not.toHaveBeenCalled();
    expect([...container.children].map((child) => child.textContent)).toEqual([
      'first paragraph',
      'second',
    ]);
  });
});

describe('an answer', () => {
  const actions = { onCopy: vi.fn(), onRegenerate: vi.fn() };
  let answer;

  beforeEach(() => {
    answer = new AnswerView(actions);
    container.append(answer.element);
  });

  it('says what is going on until its first word', () => {
    answer.progress('chat.reading');
    const progress = container.querySelector('.answer-progress');
    expect(progress.textContent).toBe('Reading your message…');
    answer.append('Hi');
    expect(progress.hidden).toBe(true);
  });

  it('ends with facts, and can be copied and asked for again', () => {
    answer.append('Hello');
    const facts = [{ key: 'chat.tokens_out', params: { count: 1 } }];
    answer.finish({ state: 'complete', facts });
    expect(container.querySelector('.facts').textContent).toBe('1 token out');
    container.querySelector('[aria-label="Copy the answer"]').click();
    expect(actions.onCopy).toHaveBeenCalledWith('Hello');
    container.querySelector('[aria-label="Answer again"]').click();
    expect(actions.onRegenerate).toHaveBeenCalledOnce();
  });

  it('is marked when it was stopped, also before its first word', () => {
    answer.finish({ state: 'stopped', facts: [] });
    expect(answer.element.dataset.state).toBe('stopped');
    expect(container.textContent).toContain('Stopped before the first word.');
    expect(container.querySelector('[aria-label="Copy the answer"]').hidden).toBe(true);
  });

  it('keeps its words when it fails, and offers what helps', () => {
    const run = vi.fn();
    answer.append('half');
    answer.fail(new Failure('worker_lost'), { retry: { key: 'action.retry', run } });
    expect(container.textContent).toContain('half');
    const alert = container.querySelector('[role="alert"]');
    expect(alert.textContent).toContain('The model stopped while answering');
    alert.querySelector('button').click();
    expect(run).toHaveBeenCalledOnce();
  });

  it('names the field that the service refused', () => {
    const failure = new Failure('bad_message', { message: 'not base64', field: 'messages[0].data' });
    answer.fail(failure, {});
    expect(container.textContent).toContain('Field: messages[0].data');
    expect(container.textContent).toContain('not base64');
    expect(container.querySelector('.failure button')).toBe(null);
  });
});

describe('the log', () => {
  let announcer;
  let view;

  beforeEach(() => {
    vi.stubGlobal('ResizeObserver', class { observe() {} });
    announcer = document.createElement('p');
    view = new TranscriptView({
      log: container,
      scroller: document.createElement('div'),
      announcer,
      jump: document.createElement('button'),
    });
  });

  it('shows text as text, pictures with their names, and sound with a player', () => {
    view.addQuestion([
      { type: 'image', url: 'blob:1', name: 'hills.png', width: 4, height: 3 },
      { type: 'audio', url: 'blob:2', name: 'clip', durationS: 65 },
      { type: 'text', text: '<b>hi</b>' },
    ], {});
    expect(container.querySelector('article').getAttribute('aria-label')).toBe('You');
    expect(container.querySelector('img').alt).toBe('hills.png');
    expect(container.querySelector('.pill-time').textContent).toBe('1:05');
    expect(container.querySelector('.question-text').textContent).toBe('<b>hi</b>');
  });

  it('reads whole sentences to screen readers, then says that it is done', () => {
    view.addAnswer({});
    view.answerGrew('One. Tw');
    expect(announcer.textContent).toBe('One. ');
    view.answerGrew('o');
    view.answerEnded('Answer complete.');
    expect(announcer.textContent).toBe('One. Two Answer complete. ');
  });
});

describe('the queue banner', () => {
  it('shows place and time, then overtime, and lets one give up', () => {
    const onCancel = vi.fn();
    const banner = new QueueBanner(container, onCancel);
    const text = () => container.querySelector('p').textContent;
    banner.show({ remaining: 12, position: 2, queueLength: 4 });
    expect(text()).toBe('Place 2 of 4 in the queueabout 0:12');
    banner.show({ remaining: -5, position: null, queueLength: null });
    expect(text()).toBe('All models are busylonger than expected: +0:05');
    container.querySelector('button').click();
    expect(onCancel).toHaveBeenCalledOnce();
    banner.hide();
    expect(container.firstElementChild.hidden).toBe(true);
  });
});
