/** Which files this browser can record. */

/** Best first: open formats of good quality, then what Apple devices play. */
const VIDEO_FORMATS = [
  { mime: 'video/webm;codecs=vp9,opus', name: 'WebM, VP9' },
  { mime: 'video/webm;codecs=vp8,opus', name: 'WebM, VP8' },
  { mime: 'video/webm', name: 'WebM' },
  { mime: 'video/mp4;codecs=avc1.42E01E,mp4a.40.2', name: 'MP4, H.264' },
  { mime: 'video/mp4', name: 'MP4' },
];

/**
 * @param {{isTypeSupported: (mime: string) => boolean}} [Recorder] absent in old browsers
 * @returns {{mime: string, name: string, supported: boolean}[]}
 */
export function videoFormats(Recorder = globalThis.MediaRecorder) {
  return VIDEO_FORMATS.map((format) => ({
    ...format,
    supported: Recorder?.isTypeSupported(format.mime) ?? false,
  }));
}

/** @param {string} wanted '' for the best @returns {?string} null where nothing can be recorded */
export function pickVideoFormat(wanted, Recorder = globalThis.MediaRecorder) {
  const supported = videoFormats(Recorder).filter((format) => format.supported);
  const chosen = supported.find(({ mime }) => mime === wanted) ?? supported[0];
  return chosen?.mime ?? null;
}
