/** The panel of figures: shown and refreshed while it is wanted. */

import { MetricsPanel } from '../ui/metrics-panel.js';
import { copyText } from '../ui/clipboard.js';

const PERIOD_MS = 250;
const FEELS = ['response_ms', 'slow_response_ms'];
const LINE = ['backlog_bytes', 'capture_gaps', 'underruns'];
const PLAYBACK = ['hold_ms', 'ahead_ms', 'shift_ms'];
const UNITS = ['first_speech_ms', 'unit_ms', 'round_trip_ms', 'context_percent'];
const VIDEO = ['vision_slices', 'dropped_frames'];
const CALL = ['state', 'model', 'chunks', 'session'];
const IN_TURNS = [...FEELS, 'turns', ...PLAYBACK, ...LINE, ...CALL];

export class MetricsController {
  #call;
  #container = document.getElementById('metrics');
  #button = document.getElementById('open-metrics');
  #panel;
  #timer = null;

  /** @param {{page: object, call: () => ?object, toaster: object}} parts as in call-panels.js */
  constructor({ page, call, toaster }) {
    this.#call = call;
    const onCopy = async () => {
      const copied = await copyText(call()?.figures.asJson() ?? '{}');
      toaster.news(copied ? 'action.copied' : 'action.not_copied');
    };
    this.#panel = new MetricsPanel(this.#container, { names: namesFor(page), onCopy });
  }

  toggle() {
    this.#container.hidden = !this.#container.hidden;
    this.#button.setAttribute('aria-expanded', String(!this.#container.hidden));
    this.#refresh();
  }

  #refresh() {
    clearTimeout(this.#timer);
    if (this.#container.hidden) return;
    const call = this.#call();
    if (call !== null) this.#panel.show(call.figures);
    this.#timer = setTimeout(() => this.#refresh(), PERIOD_MS);
  }
}

/** What a page has figures of. */
function namesFor({ name, hasVideo = false }) {
  if (name === 'half_duplex') return IN_TURNS;
  const video = hasVideo ? VIDEO : [];
  return [...FEELS, ...UNITS, ...video, ...PLAYBACK, 'drift_ms', ...LINE, ...CALL];
}
