/** One card a worker: its state, what it holds, what it does, and how that went lately. */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { stampText } from '../lib/number-text.js';
import { PointHistory } from '../lib/point-history.js';
import { element, icon, setIcon } from './dom.js';
import { requestTypeText } from './request-type.js';
import { setText } from './set-text.js';
import { Sparkline } from './sparkline.js';

const MEBI_PER_GIBI = 1024;
const FACTS = ['slots', 'gpu', 'memory', 'address', 'requests', 'task', 'session', 'heartbeat'];
const LEVELS = { idle: 'good', loading: 'busy', offline: 'bad', error: 'bad' };

/** Events: `drain` and `resume`, each with the worker. */
export class WorkerCards extends Emitter {
  #container;
  #cards = new Map();
  #history = new PointHistory();

  constructor(container) {
    super();
    this.#container = container;
  }

  /** @param {object[]} workers of `GET /workers` */
  show(workers) {
    const ids = workers.map(({ worker_id: id }) => id);
    for (const [id, card] of this.#cards) {
      if (ids.includes(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    this.#history.keep(ids.flatMap((id) => [`${id} used`, `${id} time`]));
    for (const worker of workers) this.#cardOf(worker.worker_id).show(worker, this.#history);
  }

  #cardOf(id) {
    if (!this.#cards.has(id)) {
      const card = new WorkerCard(id, (name, worker) => this.emit(name, worker));
      this.#cards.set(id, card);
      this.#container.append(card.element);
    }
    return this.#cards.get(id);
  }
}

class WorkerCard {
  #worker = null;
  #state = element('span', { class: 'state' });
  #facts = element('dl', { class: 'facts-list' });
  #values = new Map();
  #used = new Sparkline('admin.utilisation');
  #time = new Sparkline('admin.average_time');
  #symbol = icon('pause');
  #label = element('span');

  constructor(id, onPress) {
    const press = () => onPress(this.#worker.draining ? 'resume' : 'drain', this.#worker);
    const button = element(
      'button',
      { type: 'button', class: 'button write', onclick: press },
      this.#symbol,
      this.#label,
      element('span', { class: 'visually-hidden', text: ` ${id}` }),
    );
    const head = element('div', { class: 'worker-head' }, element('h3', { text: id }), this.#state);
    for (const name of FACTS) {
      const value = element('dd');
      this.#values.set(name, value);
      const title = element('dt', { i18n: `admin.worker.${name}` });
      this.#facts.append(element('div', {}, title, value));
    }
    const sparks = element('div', { class: 'sparks' }, this.#used.element, this.#time.element);
    this.element = element('li', { class: 'worker' }, head, this.#facts, sparks, button);
  }

  show(worker, history) {
    this.#worker = worker;
    const { worker_id: id, slots_busy: busy, slots_total: total } = worker;
    const state = worker.draining ? 'draining' : worker.status;
    this.element.dataset.level = worker.draining ? 'busy' : (LEVELS[worker.status] ?? 'busy');
    localize(this.#state, `admin.worker_state.${state}`);
    this.#showFacts(worker);
    setIcon(this.#symbol, worker.draining ? 'play' : 'pause');
    localize(this.#label, worker.draining ? 'admin.resume' : 'admin.drain');
    const used = history.add(`${id} used`, total > 0 ? (100 * busy) / total : 0);
    this.#used.show(used, { top: 100, text: (value) => `${Math.round(value)} %` });
    const times = history.add(`${id} time`, worker.avg_inference_time_ms);
    this.#time.show(times, { text: (value) => `${Math.round(value)} ms` });
  }

  #showFacts(worker) {
    const memory = worker.gpu_memory_used_mb ?? null;
    this.#set('slots', `${worker.slots_busy} / ${worker.slots_total}`);
    this.#set('gpu', String(worker.gpu_id));
    this.#set('memory', memory === null ? '–' : `${(memory / MEBI_PER_GIBI).toFixed(1)} GiB`);
    this.#set('address', `${worker.host}:${worker.port}`);
    this.#set('requests', String(worker.total_requests));
    this.#set('heartbeat', stampText(worker.last_heartbeat ?? null));
    const type = worker.current_request_type;
    this.#set('task', type ? requestTypeText(type) : '–');
    this.#set('session', worker.current_session_id || '–');
  }

  #set(name, text) {
    setText(this.#values.get(name), text);
  }
}
