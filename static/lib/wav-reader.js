/** Reads what recordings consist of: 16-bit PCM in WAV files. */

const HEAD = 12;
const CHUNK_HEAD = 8;
const BITS = 16;

/**
 * @param {Uint8Array} bytes the beginning of a file, or all of it
 * @returns {{channels: number, sampleRate: number, dataStart: number}}
 * @throws {Error} for anything but 16-bit PCM
 */
export function readWavHeader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tagAt = (offset) => String.fromCharCode(...bytes.subarray(offset, offset + 4));
  if (tagAt(0) !== 'RIFF' || tagAt(8) !== 'WAVE') throw new Error('not a WAV file');
  let format = null;
  for (let at = HEAD; at + CHUNK_HEAD <= bytes.length; ) {
    const [start, size] = [at + CHUNK_HEAD, view.getUint32(at + 4, true)];
    if (tagAt(at) === 'fmt ') {
      if (view.getUint16(start + 14, true) !== BITS) throw new Error('not 16-bit PCM');
      format = {
        channels: view.getUint16(start + 2, true),
        sampleRate: view.getUint32(start + 4, true),
      };
    }
    if (tagAt(at) === 'data' && format !== null) return { ...format, dataStart: start };
    at = start + size + (size % 2);
  }
  throw new Error('a WAV file without sound');
}

/** @param {Uint8Array} bytes of a whole file @returns {Int16Array} its samples, channels in turn */
export function readWavSamples(bytes) {
  const { dataStart } = readWavHeader(bytes);
  return toSamples(bytes.subarray(dataStart));
}

/** @param {Uint8Array} bytes little-endian @returns {Int16Array} */
export function toSamples(bytes) {
  const whole = bytes.slice(0, bytes.length - (bytes.length % 2)); // a copy begins where it may
  return new Int16Array(whole.buffer);
}
