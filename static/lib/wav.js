/** 16-bit mono WAV files, for playing and downloading what is float32 on the wire. */

const HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;
const PCM_FORMAT = 1;

/** @param {Float32Array} samples @param {number} sampleRate @returns {Uint8Array} */
export function encodeWav(samples, sampleRate) {
  const dataBytes = samples.length * BYTES_PER_SAMPLE;
  const bytes = new Uint8Array(HEADER_BYTES + dataBytes);
  const view = new DataView(bytes.buffer);
  writeTag(bytes, 0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  writeTag(bytes, 8, 'WAVE');
  writeTag(bytes, 12, 'fmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, PCM_FORMAT, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * BYTES_PER_SAMPLE, true);
  view.setUint16(32, BYTES_PER_SAMPLE, true);
  view.setUint16(34, BYTES_PER_SAMPLE * 8, true);
  writeTag(bytes, 36, 'data');
  view.setUint32(40, dataBytes, true);
  samples.forEach((sample, index) => {
    view.setInt16(HEADER_BYTES + index * BYTES_PER_SAMPLE, toInt16(sample), true);
  });
  return bytes;
}

function toInt16(sample) {
  const limited = Math.min(1, Math.max(-1, sample));
  return Math.round(limited * (limited < 0 ? 32768 : 32767));
}

function writeTag(bytes, offset, tag) {
  for (let index = 0; index < tag.length; index += 1) {
    bytes[offset + index] = tag.charCodeAt(index);
  }
}
