/** A file in a media element. */

import { Failure } from '../lib/failure.js';

/**
 * @param {File} file @param {HTMLMediaElement} media
 * @returns {Promise<{url: string, durationS: number}>} the URL is the caller's to revoke
 * @throws {Failure}
 */
export async function openMediaFile(file, media) {
  const url = URL.createObjectURL(file);
  try {
    await load(media, url);
    return { url, durationS: await durationOf(media) };
  } catch (error) {
    URL.revokeObjectURL(url);
    media.removeAttribute('src');
    throw new Failure('file_unreadable', { params: { name: file.name }, cause: error });
  }
}

/** @returns {Promise<void>} when its first picture, or sound, is there */
export function load(media, url) {
  return new Promise((resolve, reject) => {
    media.onloadeddata = () => resolve();
    media.onerror = () => reject(media.error);
    media.srcObject = null;
    media.src = url;
    media.load();
  });
}

/** Recorders write no length into WebM; far ahead of the end the browser finds it. */
async function durationOf(media) {
  if (Number.isFinite(media.duration)) return media.duration;
  await seek(media, Number.MAX_SAFE_INTEGER);
  const { duration } = media;
  await seek(media, 0);
  return duration;
}

/** @returns {Promise<void>} when the media shows that moment */
export function seek(media, timeS) {
  return new Promise((resolve) => {
    media.onseeked = () => resolve();
    media.currentTime = timeS;
  });
}
