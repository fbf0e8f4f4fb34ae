/** The state of the service in numbers, and how it went lately. */

import { PointHistory } from '../lib/point-history.js';
import { element } from './dom.js';
import { Sparkline } from './sparkline.js';

const TILES = {
  total: 'total_workers',
  idle: 'idle_workers',
  busy: 'busy_workers',
  queue: 'queue_length',
  loading: 'loading_workers',
  error: 'error_workers',
  offline: 'offline_workers',
};
const ALARMING = new Set(['error', 'offline']);

export class Totals {
  #tiles = new Map();
  #history = new PointHistory();
  #used = new Sparkline('admin.utilisation');
  #waiting = new Sparkline('admin.queue_depth');

  /** @param {HTMLElement} tiles @param {HTMLElement} trends */
  constructor(tiles, trends) {
    for (const name of Object.keys(TILES)) {
      const number = element('dd', { text: '–' });
      const tile = element('div', { class: 'tile' });
      tile.append(element('dt', { i18n: `admin.totals.${name}` }), number);
      this.#tiles.set(name, { tile, number });
      tiles.append(tile);
    }
    trends.append(this.#used.element, this.#waiting.element);
  }

  /** @param {object} status of `GET /status` */
  show(status) {
    for (const [name, field] of Object.entries(TILES)) {
      const { tile, number } = this.#tiles.get(name);
      number.textContent = String(status[field]);
      tile.toggleAttribute('data-alarm', ALARMING.has(name) && status[field] > 0);
    }
    const waiting = this.#history.add('waiting', status.queue_length);
    this.#waiting.show(waiting, { text: (value) => String(Math.round(value)) });
  }

  /** @param {object[]} workers of `GET /workers` */
  showUse(workers) {
    const sum = (field) => workers.reduce((total, worker) => total + worker[field], 0);
    const slots = sum('slots_total');
    const used = this.#history.add('used', slots > 0 ? (100 * sum('slots_busy')) / slots : 0);
    this.#used.show(used, { top: 100, text: (value) => `${Math.round(value)} %` });
  }
}
