import { describe, expect, it, vi } from 'vitest';

import { readPixels } from '../../static/video/video-pixels.js';

const VIDEO = { videoWidth: 2, videoHeight: 2 };
const PIXELS = [1, 2, 3, 4];

/** A browser whose frames hold four pixels, told apart by their first byte. */
function browserWith(frame = {}, copy = () => {}) {
  const close = vi.fn();
  class VideoFrame {
    constructor() {
      const visibleRect = { width: 2, height: 2 };
      Object.assign(this, { visibleRect, allocationSize: () => 16, close }, frame);
    }

    async copyTo(bytes) {
      copy();
      PIXELS.forEach((pixel, index) => void (bytes[4 * index] = pixel));
    }
  }
  const ImageData = class {
    constructor(data, width, height) {
      Object.assign(this, { data, width, height });
    }
  };
  return { VideoFrame, ImageData, close };
}

const firstBytes = ({ data }) => PIXELS.map((_, index) => data[4 * index]);
const refuse = () => { throw new DOMException('', 'NotSupportedError'); };

describe('pixels of a video', () => {
  it.each([[false, [1, 2, 3, 4]], [true, [2, 1, 4, 3]]])('are copied, mirrored: %s', async (mirrored, expected) => {
    const browser = browserWith();
    const picture = await readPixels(VIDEO, { mirrored }, browser);
    expect(firstBytes(picture)).toEqual(expected);
    expect([picture.width, picture.height]).toEqual([2, 2]);
    expect(browser.close).toHaveBeenCalledOnce();
  });

  it.each([
    ['cannot be copied', browserWith({}, refuse)],
    ['keep their own format', browserWith({ allocationSize: () => 6 })],
    ['are turned on their way to the screen', browserWith({ rotation: 90 })],
    ['are not as many as are shown', browserWith({ visibleRect: { width: 4, height: 2 } })],
    ['are unknown to the browser', {}],
  ])('that %s are left to be drawn', async (_, browser) => {
    expect(await readPixels(VIDEO, { mirrored: false }, browser)).toBe(null);
    if (browser.close) expect(browser.close).toHaveBeenCalledOnce();
  });
});
