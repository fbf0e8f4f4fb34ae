/** How old what is shown is: on the whole page, and on each part that is out of date. */

import { timeOfDay } from '../lib/number-text.js';
import { element } from '../ui/dom.js';
import { setText } from '../ui/set-text.js';

const byId = (id) => document.getElementById(id);

export class AdminFreshness {
  #schedule;
  #marks = new Map();

  /** @param {import('../lib/poll-schedule.js').PollSchedule} schedule */
  constructor(schedule, poller) {
    this.#schedule = schedule;
    for (const panel of document.querySelectorAll('[data-parts]')) {
      const mark = element('p', { class: 'stale-part', hidden: true });
      panel.querySelector('h2').after(mark);
      this.#marks.set(panel, mark);
    }
    poller.on('round', () => this.#show());
  }

  #show() {
    const stale = this.#schedule.oldestStale;
    byId('stale').hidden = stale === null;
    byId('updated').hidden = stale !== null;
    if (stale === null) {
      setText(byId('updated'), { i18n: 'admin.updated', params: { time: timeOfDay(Date.now()) } });
    } else {
      setText(byId('stale'), told(stale, 'admin.stale', 'admin.stale_never'));
    }
    for (const [panel, mark] of this.#marks) this.#showPart(panel, mark);
  }

  #showPart(panel, mark) {
    const states = panel.dataset.parts.split(' ').map((name) => this.#schedule.stale(name));
    const stale = states.find((state) => state !== null) ?? null;
    panel.toggleAttribute('data-stale', stale !== null);
    mark.hidden = stale === null;
    setText(mark, stale === null ? '' : told(stale, 'admin.stale_part', 'admin.stale_part_never'));
  }
}

function told({ sinceMs }, key, neverKey) {
  if (sinceMs === null) return { i18n: neverKey };
  return { i18n: key, params: { time: timeOfDay(sinceMs) } };
}
