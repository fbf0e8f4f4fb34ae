/**
 * What a video shows at the moment, as pixels that the browser hands out instead of drawing them.
 *
 * A Chromium without a graphics processor keeps what is drawn from a video, picture by picture, up
 * to half a gigabyte; see tests/browser/test_memory.py.
 */

const BYTES_PER_PIXEL = 4;
const LAYOUT = { format: 'RGBA' };

/**
 * @param {HTMLVideoElement} video that has a picture
 * @param {{mirrored: boolean}} options @param {object} [browser]
 * @returns {Promise<?ImageData>} null where there is nothing for it but drawing: the browser does
 *   not convert pixels, or they lie otherwise than they are shown
 */
export async function readPixels(video, { mirrored }, browser = globalThis) {
  const { videoWidth: width, videoHeight: height } = video;
  let frame = null;
  try {
    frame = new browser.VideoFrame(video);
    if (!isUpright(frame, width, height)) return null;
    const bytes = new Uint8ClampedArray(BYTES_PER_PIXEL * width * height);
    await frame.copyTo(bytes, LAYOUT);
    if (mirrored) mirrorRows(bytes, width);
    return new browser.ImageData(bytes, width, height);
  } catch {
    return null; // the picture is drawn instead
  } finally {
    frame?.close();
  }
}

/** Older browsers know frames, but pass over the format that is wanted. */
function isUpright(frame, width, height) {
  const { visibleRect, rotation = 0, flip = false } = frame;
  const isWhole = visibleRect.width === width && visibleRect.height === height;
  const converts = frame.allocationSize(LAYOUT) === BYTES_PER_PIXEL * width * height;
  return isWhole && converts && rotation === 0 && !flip;
}

function mirrorRows(bytes, width) {
  const pixels = new Uint32Array(bytes.buffer);
  for (let start = 0; start < pixels.length; start += width) {
    pixels.subarray(start, start + width).reverse();
  }
}
