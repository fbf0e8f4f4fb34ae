// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import adminWords from '../../static/i18n/admin-en.js';
import { translator } from '../../static/i18n/index.js';
import { Emitter } from '../../static/lib/emitter.js';
import { AdminLog } from '../../static/pages/admin-log.js';
import { WorkerCards } from '../../static/ui/worker-cards.js';
import { speakEnglish } from './fakes.js';

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  await translator.add({ en: async () => ({ default: adminWords }) });
});

describe('a worker', () => {
  const WORKER = {
    worker_id: 'worker_0', host: '127.0.0.1', port: 22400, gpu_id: 0, status: 'idle',
    draining: false, slots_busy: 0, slots_total: 2, total_requests: 3, avg_inference_time_ms: 80,
  };

  it('is drained, and given work again, with the same button', () => {
    const list = document.createElement('ul');
    const cards = new WorkerCards(list);
    const asked = [];
    for (const name of ['drain', 'resume']) cards.on(name, ({ worker_id: id }) => asked.push([name, id]));
    cards.show([WORKER]);
    const button = list.querySelector('button');
    expect(button.textContent).toBe('Drain worker_0');
    button.click();
    cards.show([{ ...WORKER, draining: true }]);
    expect(list.querySelector('button')).toBe(button);
    expect(list.querySelector('.state').textContent).toBe('Draining');
    expect(button.textContent).toBe('Resume worker_0');
    button.click();
    expect(asked).toEqual([['drain', 'worker_0'], ['resume', 'worker_0']]);
  });
});

describe('the log', () => {
  const LINES = ['level=info event=started', 'level=error event=worker_lost', 'level=info event=chat'];
  const byId = (id) => document.getElementById(id);
  let poller;

  beforeEach(() => {
    document.body.innerHTML = `<form id="log-form"><select id="log-process"></select>
      <select id="log-lines"></select><input id="log-filter"><input id="log-follow" type="checkbox">
      </form><p id="log-none" hidden></p><pre id="log-text" hidden></pre>`;
    poller = Object.assign(new Emitter(), { hurry: vi.fn() });
    new AdminLog({ poller });
    poller.emit('log', { processes: ['gateway', 'worker_0'], lines: LINES });
  });

  function look(words) {
    byId('log-filter').value = words;
    byId('log-filter').dispatchEvent(new Event('input'));
    return byId('log-text').hidden ? null : byId('log-text').textContent;
  }

  it('shows the lines that have the words in them, and all without words', () => {
    expect(look('Worker_LOST ')).toBe(LINES[1]);
    expect(look('')).toBe(LINES.join('\n'));
  });

  it('says so where no line has them, until one comes', () => {
    expect(look('drained')).toBe(null);
    expect(byId('log-none').textContent).toBe('None of these lines has this in it.');
    poller.emit('log', { processes: ['gateway'], lines: [...LINES, 'event=drained'] });
    expect(byId('log-text').textContent).toBe('event=drained');
    expect(byId('log-none').hidden).toBe(true);
  });

  it('of a process that has none is told, whatever was looked for', () => {
    poller.emit('log', null);
    expect(look('x')).toBe(null);
    expect(byId('log-none').textContent).toMatch(/^There is no log of gateway/);
  });
});
