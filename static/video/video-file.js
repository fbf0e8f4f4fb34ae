/** A video file in a video element. */

import { Failure } from '../lib/failure.js';

/**
 * @param {File} file @param {HTMLVideoElement} video
 * @returns {Promise<{url: string, durationS: number}>} the URL is the caller's to revoke
 * @throws {Failure}
 */
export async function openVideoFile(file, video) {
  const url = URL.createObjectURL(file);
  try {
    await metadataOf(video, url);
    return { url, durationS: await durationOf(video) };
  } catch (error) {
    URL.revokeObjectURL(url);
    video.removeAttribute('src');
    throw new Failure('file_unreadable', { params: { name: file.name }, cause: error });
  }
}

function metadataOf(video, url) {
  return new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(video.error);
    video.srcObject = null;
    video.src = url;
    video.load();
  });
}

/** Recorders write no length into WebM; far ahead of the end the browser finds it. */
async function durationOf(video) {
  if (Number.isFinite(video.duration)) return video.duration;
  await seek(video, Number.MAX_SAFE_INTEGER);
  const { duration } = video;
  await seek(video, 0);
  return duration;
}

function seek(video, timeS) {
  return new Promise((resolve) => {
    video.onseeked = resolve;
    video.currentTime = timeS;
  });
}
