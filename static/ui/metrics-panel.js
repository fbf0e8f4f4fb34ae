/** The figures of a call: each with its value, how good that is, and its last minute. */

import { localize, t } from '../i18n/index.js';
import { element } from './dom.js';

const GOOD_BELOW = {
  response: [1500, 3000],
  unit: [700, 1000],
  trip: [1200, 2000],
  gaps: [1, 3],
  drift: [50, 200],
};
const ROWS = ['response', 'unit', 'trip', 'context', 'vision', 'ahead', 'hold', 'gaps', 'drift'];
const SERIES = { unit: 'unitMs', trip: 'roundTripMs', ahead: 'aheadMs' };
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [96, 20];

export class MetricsPanel {
  #rows = new Map();

  /** @param {HTMLElement} container */
  constructor(container) {
    const list = element('dl', { class: 'metrics-list' });
    for (const name of ROWS) {
      const value = element('dd', { class: 'metric-value' });
      const line = name in SERIES ? sparkline() : null;
      const term = element('dt', { i18n: `call.metric.${name}` });
      list.append(element('div', { class: 'metric' }, term, ...(line ? [line] : []), value));
      this.#rows.set(name, { value, line });
    }
    container.append(list);
  }

  /**
   * @param {{stats: import('../lib/latency-stats.js').LatencyStats, playback: object,
   *          aheadMs: number}} figures `playback` as the player's stats
   */
  show({ stats, playback, aheadMs }) {
    const { responseMs, slowResponseMs } = stats;
    this.#put('response', responseMs, 'call.value.response', { ms: responseMs, slow: slowResponseMs });
    this.#put('unit', stats.unitMs, 'call.value.ms', { ms: stats.unitMs });
    const tripMs = stats.series.roundTripMs.at(-1) ?? null;
    this.#put('trip', tripMs, 'call.value.ms', { ms: tripMs });
    this.#put('context', stats.kvCacheLength, 'call.value.tokens', { count: stats.kvCacheLength });
    this.#put('vision', stats.visionTokens, 'call.value.tokens', { count: stats.visionTokens });
    this.#put('ahead', aheadMs, 'call.value.ms', { ms: aheadMs });
    this.#put('hold', playback.holdMs, 'call.value.ms', { ms: playback.holdMs });
    const { gaps, gapMs } = playback;
    this.#put('gaps', gaps, 'call.value.gaps', { count: gaps, ms: gapMs });
    this.#put('drift', stats.driftMs, 'call.value.ms', { ms: stats.driftMs });
    for (const [name, key] of Object.entries(SERIES)) draw(this.#rows.get(name).line, stats.series[key]);
  }

  #put(name, value, key, params) {
    const { value: cell } = this.#rows.get(name);
    if (value === null) {
      localize(cell, 'call.value.none');
      delete cell.dataset.level;
      return;
    }
    const rounded = Object.entries(params).map(([unit, number]) => [unit, Math.round(number)]);
    localize(cell, key, Object.fromEntries(rounded));
    const level = levelOf(name, value);
    if (level === null) return;
    cell.dataset.level = level;
    cell.title = t(`call.level.${level}`); // colour is not the only sign
  }
}

/** @returns {?('good' | 'fair' | 'poor')} */
function levelOf(name, value) {
  if (!(name in GOOD_BELOW)) return null;
  const [good, fair] = GOOD_BELOW[name];
  const size = Math.abs(value);
  if (size < good) return 'good';
  return size < fair ? 'fair' : 'poor';
}

function sparkline() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'sparkline');
  svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'polyline'));
  return svg;
}

function draw(svg, values) {
  const highest = Math.max(1, ...values);
  const stepX = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, index) => `${index * stepX},${HEIGHT - (value / highest) * HEIGHT}`);
  svg.firstElementChild.setAttribute('points', points.join(' '));
}
