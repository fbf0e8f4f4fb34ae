/** What a page has recorded itself, to be played beside what the service has recorded. */

import { element } from './dom.js';

const FAR_AWAY_S = 1e7;

/** @param {string} url @param {string} file its name @returns {HTMLElement} */
export function uploadedRecording(url, file) {
  const options = { src: url, controls: true, preload: 'metadata', named: 'replay.uploaded' };
  const isSound = file.endsWith('.wav');
  const media = element(isSound ? 'audio' : 'video', { ...options, playsinline: true });
  media.addEventListener('loadedmetadata', () => findDuration(media), { once: true });
  return media;
}

/**
 * WebM of a recorder tells no duration until somebody has been at its end.
 * @param {HTMLMediaElement} media whose metadata is there
 */
export function findDuration(media) {
  if (media.duration !== Infinity) return;
  const back = () => {
    if (!Number.isFinite(media.duration)) return;
    media.removeEventListener('durationchange', back);
    media.currentTime = 0;
  };
  media.addEventListener('durationchange', back);
  media.currentTime = FAR_AWAY_S;
}
