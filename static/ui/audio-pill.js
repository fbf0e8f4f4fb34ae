/** A small player: play or pause, a place to seek, elapsed and total time. */

import { localizeLabel } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { element, icon, iconButton, setIcon } from './dom.js';

let playing = null; // one sound at a time on a page

/** Lets whatever sounds on the page wait. */
export function pauseSounds() {
  playing?.pause();
}

/**
 * @param {{url: string, name: string, durationS: ?number, fileName?: string}} sound a duration of
 *        null is looked up in the file; with a `fileName` it can be saved
 */
export function audioPill({ url, name, durationS, fileName }) {
  const audio = element('audio', { src: url, preload: 'metadata' });
  const button = iconButton('play', 'action.play', () => toggle(audio), { params: { name } });
  const seek = element('input', {
    type: 'range',
    min: '0',
    max: String(durationS ?? 0),
    step: '0.1',
    value: '0',
    'aria-label': name,
    oninput: () => {
      audio.currentTime = Number(seek.value);
    },
  });
  const time = element('span', { class: 'pill-time', text: clockText(durationS ?? 0) });
  audio.addEventListener('timeupdate', () => {
    seek.value = String(audio.currentTime);
    time.textContent = `${clockText(audio.currentTime)} / ${clockText(durationS ?? audio.duration)}`;
  });
  audio.addEventListener('loadedmetadata', () => {
    if (durationS !== null || !Number.isFinite(audio.duration)) return;
    seek.max = String(audio.duration);
    time.textContent = clockText(audio.duration);
  });
  const showState = () => {
    setIcon(button.querySelector('svg'), audio.paused ? 'play' : 'pause');
    localizeLabel(button, audio.paused ? 'action.play' : 'action.pause', { name });
  };
  for (const event of ['play', 'pause', 'ended']) audio.addEventListener(event, showState);
  const pill = element('div', { class: 'audio-pill' }, button, seek, time, audio);
  if (fileName) pill.append(saveLink(url, name, fileName));
  return pill;
}

function saveLink(url, name, fileName) {
  const options = { href: url, download: fileName, class: 'icon-button' };
  return element('a', { ...options, label: 'action.save', params: { name } }, icon('save'));
}

function toggle(audio) {
  if (!audio.paused) {
    audio.pause();
    return;
  }
  if (playing !== audio) pauseSounds();
  playing = audio;
  void audio.play();
}
