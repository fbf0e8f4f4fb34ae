/** A meter of loudness: a bar, a mark at the highest level of late, and a light for clipping. */

import { PeakHold } from '../lib/gain-model.js';
import { levelOf } from '../lib/pcm.js';
import { element } from './dom.js';

const FLOOR_DB = -60;

export class LevelBar {
  #peak = new PeakHold();
  #bar = element('div', {
    class: 'level-bar',
    role: 'meter',
    'aria-valuemin': FLOOR_DB,
    'aria-valuemax': '0',
  });
  #clip = element('span', { class: 'clip-light', i18n: 'mixer.clip' });

  /** @param {HTMLElement} container @param {string} key names what is measured */
  constructor(container, key) {
    const name = element('span', { id: key, class: 'level-name', i18n: key });
    this.#bar.setAttribute('aria-labelledby', key);
    container.append(element('div', { class: 'level-row' }, name, this.#bar, this.#clip));
    this.show({ rmsDb: -Infinity, peakDb: -Infinity }, 0);
  }

  /** @param {{rmsDb: number, peakDb: number}} level relative to full scale */
  show({ rmsDb, peakDb }, nowMs) {
    this.#peak.push(peakDb, nowMs);
    this.#bar.style.setProperty('--level', levelOf(rmsDb).toFixed(3));
    this.#bar.style.setProperty('--peak', levelOf(this.#peak.peakDb(nowMs)).toFixed(3));
    this.#bar.setAttribute('aria-valuenow', String(Math.round(Math.max(FLOOR_DB, Math.min(0, rmsDb)))));
    this.#clip.classList.toggle('on', this.#peak.clipped(nowMs));
  }
}
