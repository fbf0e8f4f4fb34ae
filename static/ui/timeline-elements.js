/** The parts of the timeline that are not drawn: its canvases, and what the colours mean. */

import { element } from './dom.js';

const COLOURS = {
  user: 'replay.colour_user',
  model: 'replay.colour_model',
  speak: 'replay.colour_speak',
  listen: 'replay.colour_listen',
  prefill: 'replay.colour_prefill',
  llm: 'replay.colour_llm',
  tts: 'replay.colour_tts',
  token2wav: 'replay.colour_token2wav',
  late: 'replay.colour_late',
};
const UNNAMED = ['text', 'said', 'grid', 'now'];

/**
 * @param {boolean} hasPictures
 * @returns {{element: HTMLElement, canvas: HTMLCanvasElement, overview: HTMLCanvasElement,
 *            legend: HTMLElement}}
 */
export function timelineElements(hasPictures) {
  const canvas = element('canvas', {
    class: 'replay-canvas', role: 'img', named: 'replay.timeline_text', 'data-pictures': hasPictures,
  });
  const overview = element('canvas', { class: 'replay-overview', 'aria-hidden': 'true' });
  const named = Object.entries(COLOURS).map(([colour, i18n]) =>
    element('li', {},
      element('span', { class: 'swatch', 'data-colour': colour }),
      element('span', { i18n }),
    ),
  );
  const unnamed = UNNAMED.map((colour) => element('li', { 'data-colour': colour, hidden: true }));
  const legend = element('ul', { class: 'replay-legend' }, ...named, ...unnamed);
  const section = element('section', { class: 'replay-timeline', named: 'replay.timeline' }, overview, canvas, legend);
  return { element: section, canvas, overview, legend };
}

/** @param {?object} summary as costSummary() of lib/replay-units.js */
export function costText(summary) {
  if (summary === null) return element('p', { class: 'help', i18n: 'replay.costs_unknown' });
  const params = {
    median: Math.round(summary.medianMs),
    slowest: Math.round(summary.slowestMs),
    chunk: summary.slowest + 1,
    late: summary.late,
    total: summary.count,
  };
  return element('p', { class: 'help', i18n: 'replay.costs', params });
}
