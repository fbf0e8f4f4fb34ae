/** The figures of a call: each with its value, how good that is, its last minute and its meaning. */

import { localize, t } from '../i18n/index.js';
import { levelOf } from '../lib/call-figures.js';
import { element, icon } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [96, 20];
const WITHOUT_LINE = ['state', 'session', 'model', 'vision_slices'];
const UNITS = { ms: 'call.value.ms', bytes: 'call.value.kilobytes' };

export class MetricsPanel {
  #rows = new Map();

  /**
   * @param {HTMLElement} container
   * @param {{names: string[], onCopy: () => void}} options `names` of the figures, in their order
   */
  constructor(container, { names, onCopy }) {
    const list = element('div', { class: 'metrics-list' });
    for (const name of names) {
      const row = figureRow(name);
      this.#rows.set(name, row);
      list.append(row.element);
    }
    const copy = { type: 'button', class: 'button metrics-copy', onclick: onCopy };
    const words = element('span', { i18n: 'call.copy_figures' });
    container.append(list, element('button', copy, icon('copy'), words));
  }

  /** @param {import('../lib/call-figures.js').CallFigures} figures */
  show({ values, series }) {
    for (const [name, { value, level, line }] of this.#rows) {
      const [key, params] = wordsOf(name, values);
      localize(value, key, params);
      showLevel(value, level, levelOf(name, values));
      if (line !== null) draw(line, series[name] ?? []);
    }
  }
}

/** What it means is folded away behind its name. */
function figureRow(name) {
  const line = WITHOUT_LINE.includes(name) ? null : sparkline();
  const value = element('span', { class: 'metric-value' });
  const level = element('span', { class: 'visually-hidden' });
  const label = element('span', { class: 'metric-name', i18n: `call.metric.${name}` });
  const summary = element('summary', { class: 'metric' }, label, ...(line ? [line] : []), value, level);
  const help = element('p', { class: 'help', i18n: `call.metric.${name}_help` });
  return { element: element('details', {}, summary, help), value, level, line };
}

/** @returns {[string, object]} dictionary key and values to fill in */
function wordsOf(name, values) {
  const value = values[name];
  if (value === null || value === undefined) return ['call.value.none', {}];
  if (name === 'state') return [`call.state.${value}`, {}];
  if (name === 'model') return [value === 'speaking' ? 'call.state.speaking' : 'call.state.listening', {}];
  if (name === 'session') return ['call.value.text', { text: value }];
  if (name === 'context_percent') {
    return ['call.value.context', { count: values.context_tokens, percent: Math.round(value) }];
  }
  if (name === 'vision_slices') {
    const key = value > 1 ? 'call.value.vision_hd' : 'call.value.vision';
    return [key, { slices: value, count: values.vision_tokens ?? 0 }];
  }
  if (name === 'unit_ms' && values.cost_ms !== null) {
    return ['call.value.unit', { ms: Math.round(value), cost: Math.round(values.cost_ms) }];
  }
  if (name === 'ahead_ms') return ['call.value.ahead', { ms: Math.round(value), count: values.gaps }];
  if (name.endsWith('_bytes')) return [UNITS.bytes, { kilobytes: Math.round(value / 1000) }];
  if (name.endsWith('_ms')) return [UNITS.ms, { ms: Math.round(value) }];
  return ['call.value.count', { count: value }];
}

/** Colour, shape and word. */
function showLevel(value, word, level) {
  if (level === null) {
    delete value.dataset.level;
    delete word.dataset.i18n;
    word.textContent = '';
    value.title = '';
    return;
  }
  value.dataset.level = level;
  localize(word, `call.level.${level}`);
  value.title = t(`call.level.${level}`);
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
  const highest = Math.max(1, ...values.map(Math.abs));
  const stepX = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, index) => {
    const height = (Math.abs(value) / highest) * HEIGHT;
    return `${index * stepX},${HEIGHT - height}`;
  });
  svg.firstElementChild.setAttribute('points', points.join(' '));
}
