/** Any picture the browser can show, as a file the service can read. */

import { Failure } from '../lib/failure.js';
import { MAX_IMAGE_EDGE_PX, MAX_IMAGE_FILE_BYTES } from '../lib/limits.js';

const SENT_AS_IS = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/bmp']);
const JPEG_QUALITY = 0.85;

/**
 * A file in a common format within the limits keeps its own bytes; others are drawn again as JPEG,
 * scaled down to the longest edge the service needs. `redrawn`: the format had to change.
 *
 * @param {File} file
 * @param {{createImageBitmap: Function, OffscreenCanvas: Function}} browser
 * @returns {Promise<{blob: Blob, width: number, height: number, redrawn: boolean}>}
 * @throws {Failure}
 */
export async function prepareImageFile(file, browser = globalThis) {
  const bitmap = await browser.createImageBitmap(file).catch((error) => {
    throw new Failure('file_unreadable', { params: { name: file.name }, cause: error });
  });
  const { width, height } = bitmap;
  const scale = Math.min(1, MAX_IMAGE_EDGE_PX / Math.max(width, height));
  const known = SENT_AS_IS.has(file.type);
  if (known && scale === 1 && file.size <= MAX_IMAGE_FILE_BYTES) {
    bitmap.close();
    return { blob: file, width, height, redrawn: false };
  }
  return { ...(await redraw(bitmap, scale, browser)), redrawn: !known };
}

async function redraw(bitmap, scale, browser) {
  const width = Math.max(1, Math.floor(bitmap.width * scale));
  const height = Math.max(1, Math.floor(bitmap.height * scale));
  const canvas = new browser.OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff'; // JPEG has no transparency
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: JPEG_QUALITY });
  return { blob, width, height };
}
