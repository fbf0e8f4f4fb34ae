/** 16-bit WAV files, for playing and downloading what is float32 on the wire. */

const HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;
const PCM_FORMAT = 1;

/** @param {Float32Array} samples of one channel @param {number} sampleRate @returns {Uint8Array} */
export function encodeWav(samples, sampleRate) {
  const dataBytes = samples.length * BYTES_PER_SAMPLE;
  const bytes = new Uint8Array(HEADER_BYTES + dataBytes);
  bytes.set(wavHeader({ channels: 1, sampleRate, dataBytes }));
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, index) => {
    view.setInt16(HEADER_BYTES + index * BYTES_PER_SAMPLE, toInt16(sample), true);
  });
  return bytes;
}

/**
 * What goes before the samples of a file; those of several channels take turns.
 * @param {{channels: number, sampleRate: number, dataBytes: number}} format
 * @returns {Uint8Array}
 */
export function wavHeader({ channels, sampleRate, dataBytes }) {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  writeTag(bytes, 0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  writeTag(bytes, 8, 'WAVE');
  writeTag(bytes, 12, 'fmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM_FORMAT, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * BYTES_PER_SAMPLE, true);
  view.setUint16(32, channels * BYTES_PER_SAMPLE, true);
  view.setUint16(34, BYTES_PER_SAMPLE * 8, true);
  writeTag(bytes, 36, 'data');
  view.setUint32(40, dataBytes, true);
  return bytes;
}

/** @param {number} sample limited to full scale @returns {number} */
export function toInt16(sample) {
  const limited = Math.min(1, Math.max(-1, sample));
  return Math.round(limited * (limited < 0 ? 32768 : 32767));
}

function writeTag(bytes, offset, tag) {
  for (let index = 0; index < tag.length; index += 1) {
    bytes[offset + index] = tag.charCodeAt(index);
  }
}
