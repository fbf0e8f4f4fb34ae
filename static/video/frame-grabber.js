/** Single pictures of a playing video as JPEG, through one canvas that is used again and again. */

import { bytesToBase64 } from '../lib/base64.js';
import { readPixels } from './video-pixels.js';

const QUALITY = 0.7;
const LIMIT_MS = 300; // hidden tabs may put encoding off, and the chunk must not wait for it

export class FrameGrabber {
  #video;
  #canvas;
  #encoding = false;

  /** @param {HTMLVideoElement} video @param {HTMLCanvasElement} [canvas] */
  constructor(video, canvas = video.ownerDocument.createElement('canvas')) {
    [this.#video, this.#canvas] = [video, canvas];
  }

  /**
   * @param {{mirrored: boolean}} options
   * @returns {Promise<?string>} JPEG in base64 at the video's own size; null when there is none yet
   *   or the one before is still being made
   */
  async grab({ mirrored }) {
    const { videoWidth: width, videoHeight: height } = this.#video;
    if (this.#encoding || width === 0) return null;
    this.#encoding = true;
    const encoded = this.#take(width, height, mirrored).finally(() => {
      this.#encoding = false;
    });
    const late = new Promise((resolve) => setTimeout(resolve, LIMIT_MS, null));
    return Promise.race([encoded, late]);
  }

  async #take(width, height, mirrored) {
    const pixels = await readPixels(this.#video, { mirrored });
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) {
      [canvas.width, canvas.height] = [width, height];
    }
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (pixels !== null) context.putImageData(pixels, 0, 0);
    else {
      context.setTransform(mirrored ? -1 : 1, 0, 0, 1, mirrored ? width : 0, 0);
      context.drawImage(this.#video, 0, 0, width, height);
    }
    return this.#encode();
  }

  async #encode() {
    const blob = await new Promise((resolve) => {
      this.#canvas.toBlob(resolve, 'image/jpeg', QUALITY);
    });
    return blob && bytesToBase64(new Uint8Array(await blob.arrayBuffer()));
  }
}
