/** Mono float32 PCM: the only sound format on the wire. */

const BYTES_PER_SAMPLE = 4;
const METER_FLOOR_DB = -60;

/** @param {Float32Array} samples @returns {Uint8Array} little-endian bytes */
export function floatsToBytes(samples) {
  const bytes = new Uint8Array(samples.length * BYTES_PER_SAMPLE);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, index) => view.setFloat32(index * BYTES_PER_SAMPLE, sample, true));
  return bytes;
}

/** @param {Uint8Array} bytes little-endian @returns {Float32Array} */
export function bytesToFloats(bytes) {
  if (bytes.length % BYTES_PER_SAMPLE !== 0) {
    throw new RangeError(`${bytes.length} bytes are not a whole number of float32 samples`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const samples = new Float32Array(bytes.length / BYTES_PER_SAMPLE);
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = view.getFloat32(index * BYTES_PER_SAMPLE, true);
  }
  return samples;
}

/** Limits samples to [-1, 1] in place; browser resampling overshoots a little. */
export function clampSamples(samples) {
  for (let index = 0; index < samples.length; index += 1) {
    samples[index] = Math.min(1, Math.max(-1, samples[index]));
  }
  return samples;
}

/** @param {Float32Array[]} channels of equal length @returns {Float32Array} their average */
export function mixToMono(channels) {
  const mono = new Float32Array(channels[0].length);
  for (const channel of channels) {
    for (let index = 0; index < mono.length; index += 1) {
      mono[index] += channel[index] / channels.length;
    }
  }
  return mono;
}

/** @returns {number} the largest absolute sample, 0 for no samples */
export function peakOf(samples) {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

/** @returns {number} root mean square in dB relative to full scale; -Infinity for silence */
export function rmsDecibels(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return 10 * Math.log10(sum / Math.max(1, samples.length));
}

/** @param {number} decibels @returns {number} for a meter: 0 at -60 dB and below, 1 at full scale */
export function levelOf(decibels) {
  return Math.min(1, Math.max(0, 1 - decibels / METER_FLOOR_DB));
}

/** @param {Float32Array[]} parts @returns {Float32Array} */
export function joinSamples(parts) {
  const total = parts.reduce((length, part) => length + part.length, 0);
  const joined = new Float32Array(total);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
