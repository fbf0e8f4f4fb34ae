/** Draws a call's picture with captions onto a canvas. */

import { layoutCaptions } from '../lib/caption-layout.js';

const PILL_OPACITY = 0.55;
const PILL_PADDING_EM = 0.45;
const FONT = 'system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif';

export class CaptionPainter {
  #canvas;
  #context;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false });
  }

  /**
   * The canvas takes the size of the picture, which may change with the camera.
   * @param {HTMLVideoElement} video @param {boolean} flipped as it is shown
   */
  picture(video, flipped) {
    const { videoWidth: width, videoHeight: height } = video;
    if (width === 0) return;
    const [canvas, context] = [this.#canvas, this.#context];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    context.setTransform(flipped ? -1 : 1, 0, 0, 1, flipped ? width : 0, 0);
    context.drawImage(video, 0, 0, width, height);
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  /** @param {string[]} turns @param {object} look as in lib/caption-layout.js */
  captions(turns, look) {
    const context = this.#context;
    const { width, height } = this.#canvas;
    const measure = (text, fontPx) => {
      context.font = `${fontPx}px ${FONT}`;
      return context.measureText(text).width;
    };
    const layout = layoutCaptions({ ...look, turns, width, height, measure });
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (const line of layout.lines) this.#line(line, layout, width / 2);
    context.globalAlpha = 1;
  }

  #line({ text, middlePx, opacity }, { fontPx, lineHeightPx }, centerPx) {
    const context = this.#context;
    const widthPx = context.measureText(text).width + 2 * PILL_PADDING_EM * fontPx;
    context.globalAlpha = PILL_OPACITY * opacity;
    context.fillStyle = '#000000';
    context.beginPath();
    const top = middlePx - lineHeightPx / 2;
    context.roundRect(centerPx - widthPx / 2, top, widthPx, lineHeightPx, lineHeightPx / 3);
    context.fill();
    context.globalAlpha = opacity;
    context.fillStyle = '#ffffff';
    context.fillText(text, centerPx, middlePx);
  }
}
