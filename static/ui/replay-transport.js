/** The controls of a replay: play, time, a place to seek, speed, zoom; and its keys. */

import { localizeAttributes, localizeLabel } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { Emitter } from '../lib/emitter.js';
import { element, icon, iconButton, setIcon } from './dom.js';

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const FAR = 10; // units
const OWN_KEYS = 'input:not([type=range]), select, textarea, summary, dialog, audio, video[controls]';
const PRESSED_WITH_SPACE = 'button, a, [role=button]';

/**
 * Events: `toggle`; `seek` (seconds); `step` (units, forwards or back); `end` (first or last unit,
 * -1 or 1); `speed` (a factor); `zoom` (-1 is closer); `captions` (whether they are shown).
 */
export class ReplayTransport extends Emitter {
  #play = iconButton('play', 'replay.play', () => this.emit('toggle', null), {
    class: 'icon-button replay-play',
  });
  #time = element('span', { class: 'replay-time' });
  #seek;
  #speed;
  #captions;
  #zoomIn = iconButton('zoom_in', 'replay.zoom_in', () => this.emit('zoom', -1));
  #zoomOut = iconButton('zoom_out', 'replay.zoom_out', () => this.emit('zoom', 1));

  constructor() {
    super();
    this.#seek = element('input', {
      type: 'range', min: '0', step: 'any', value: '0', named: 'replay.place', class: 'replay-seek',
      oninput: () => this.emit('seek', Number(this.#seek.value)),
    });
    const speeds = SPEEDS.map((speed) => element('option', { value: speed, text: `${speed}×` }));
    this.#speed = element('select', {
      class: 'replay-speed', label: 'replay.speed',
      onchange: () => this.emit('speed', Number(this.#speed.value)),
    }, ...speeds);
    this.#captions = iconButton('captions', 'replay.captions', () => this.#toggleCaptions(), {
      'aria-pressed': 'true',
    });
    this.showSpeed(1);
    this.element = element('div', { class: 'replay-transport', role: 'group', named: 'replay.controls' },
      this.#play, this.#time, this.#seek, this.#speed, this.#captions, this.#zoomOut, this.#zoomIn);
  }

  /** @param {{timeS: number, durationS: number, unit: object}} place */
  showPlace({ timeS, durationS, unit }) {
    this.#seek.max = String(durationS);
    this.#seek.value = String(timeS);
    const time = `${clockText(timeS)} / ${clockText(durationS)}`;
    if (this.#time.textContent !== time) this.#time.textContent = time;
    const key = unit.speaks ? 'replay.place_speaks' : 'replay.place_listens';
    const params = { time: clockText(timeS), chunk: unit.index + 1, text: unit.text.trim() };
    localizeAttributes(this.#seek, `aria-label:replay.place;aria-valuetext:${key}`, params);
  }

  showPlaying(playing) {
    setIcon(this.#play.querySelector('svg'), playing ? 'pause' : 'play');
    localizeLabel(this.#play, playing ? 'replay.pause' : 'replay.play');
  }

  showSpeed(speed) {
    this.#speed.value = String(speed);
  }

  /** @param {import('../lib/time-window.js').TimeWindow} window */
  showZoom({ canZoomIn, canZoomOut }) {
    this.#zoomIn.disabled = !canZoomIn;
    this.#zoomOut.disabled = !canZoomOut;
  }

  /** @param {KeyboardEvent} event anywhere on the page */
  press(event) {
    const { key, target, shiftKey } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (target.closest?.(OWN_KEYS)) return;
    const act = this.#actionOf(key, shiftKey, target);
    if (act === null) return;
    event.preventDefault();
    act();
  }

  #actionOf(key, shiftKey, target) {
    const steps = shiftKey ? FAR : 1;
    const step = (count) => () => this.emit('step', count);
    if (key === ' ' && target.closest?.(PRESSED_WITH_SPACE)) return null;
    switch (key.toLowerCase()) {
      case ' ':
      case 'k':
        return () => this.emit('toggle', null);
      case 'arrowleft':
        return step(-steps);
      case 'arrowright':
        return step(steps);
      case 'pageup':
      case 'pagedown':
        if (target !== this.#seek) return null;
        return step(key === 'PageUp' ? FAR : -FAR);
      case 'home':
      case 'end':
        return () => this.emit('end', key === 'Home' ? -1 : 1);
      case '<':
      case '>':
        return () => this.#changeSpeed(key === '>' ? 1 : -1);
      case 'c':
        return () => this.#toggleCaptions();
      default:
        return null;
    }
  }

  #changeSpeed(steps) {
    const index = SPEEDS.indexOf(Number(this.#speed.value)) + steps;
    if (SPEEDS[index] === undefined) return;
    this.showSpeed(SPEEDS[index]);
    this.emit('speed', SPEEDS[index]);
  }

  #toggleCaptions() {
    const shown = this.#captions.getAttribute('aria-pressed') !== 'true';
    this.#captions.setAttribute('aria-pressed', String(shown));
    this.emit('captions', shown);
  }
}

/** What the keys do, for people to read. */
export function keyHelp() {
  return element('p', { class: 'help replay-keys' }, icon('info'), element('span', { i18n: 'replay.keys' }));
}
