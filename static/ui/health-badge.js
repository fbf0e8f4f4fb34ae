/** How the service is doing, in a few words beside a coloured dot; a toy is called by its name. */

import { localize } from '../i18n/index.js';
import { element } from './dom.js';

export class HealthBadge {
  #state = element('span', { i18n: 'status.checking' });
  #model = element('b', { class: 'health-model', hidden: true });
  #waiting = element('span', { class: 'health-waiting', hidden: true });
  element = element('span', { class: 'health' });

  constructor() {
    const dot = element('span', { class: 'health-dot', 'aria-hidden': 'true' });
    this.element.append(dot, this.#model, this.#state, this.#waiting);
  }

  /** @param {?object} status from `/status`; null when it cannot be reached */
  show(status) {
    const { key, params, level } = summary(status);
    this.element.dataset.level = level;
    localize(this.#state, key, params);
    this.#model.hidden = status?.embedded_model !== true;
    this.#model.textContent = status?.model_name ?? '';
    const count = status?.queue_length ?? 0;
    this.#waiting.hidden = count === 0;
    localize(this.#waiting, 'status.waiting', { count });
  }
}

/** @returns {{key: string, params: object, level: 'good' | 'busy' | 'bad'}} */
export function summary(status) {
  if (status === null) return { key: 'status.unreachable', params: {}, level: 'bad' };
  const { idle_workers: idle, offline_workers: offline, loading_workers: loading } = status;
  const total = status.total_workers - (offline ?? 0);
  if (idle > 0) return { key: 'status.free', params: { idle, total }, level: 'good' };
  if (loading > 0) return { key: 'status.loading', params: {}, level: 'busy' };
  if (total > 0) return { key: 'status.busy', params: { count: total }, level: 'bad' };
  return { key: 'status.no_worker', params: {}, level: 'bad' };
}
