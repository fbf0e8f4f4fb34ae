/**
 * How loud a sound is to a listener: integrated loudness of one channel after ITU-R BS.1770-4.
 *
 * Two filters weigh the frequencies as an ear does; then blocks of 400 ms are averaged, without
 * those that are silent, or much quieter than the rest.
 */

const BLOCKS_PER_S = 10; // a block begins every 100 ms
const HOPS_PER_BLOCK = 4;
const OFFSET_LUFS = -0.691;
const SILENCE_LUFS = -70;
const RELATIVE_GATE_DB = -10;
const SHELF = { frequencyHz: 1681.974, quality: 0.70718, gainDb: 3.99984, edgeExponent: 0.499667 };
const HIGH_PASS = { frequencyHz: 38.1355, quality: 0.500327 };

/**
 * @param {Float32Array} samples @param {number} sampleRate
 * @returns {number} LUFS; -Infinity for silence, or for less than a block of sound
 */
export function integratedLoudness(samples, sampleRate) {
  const blocks = blockPowers(samples, sampleRate);
  const loud = blocks.filter((power) => loudnessOf(power) > SILENCE_LUFS);
  const gate = loudnessOf(mean(loud)) + RELATIVE_GATE_DB;
  return loudnessOf(mean(loud.filter((power) => loudnessOf(power) > gate)));
}

/** @returns {number[]} the mean square of each block, after both filters */
function blockPowers(samples, sampleRate) {
  const hops = hopEnergies(samples, sampleRate);
  const blockSamples = (HOPS_PER_BLOCK * sampleRate) / BLOCKS_PER_S;
  return Array.from({ length: Math.max(0, hops.length - HOPS_PER_BLOCK + 1) }, (_, first) => {
    const energy = hops.slice(first, first + HOPS_PER_BLOCK).reduce((sum, hop) => sum + hop, 0);
    return energy / blockSamples;
  });
}

function hopEnergies(samples, sampleRate) {
  const hopSamples = Math.round(sampleRate / BLOCKS_PER_S);
  const hops = new Array(Math.floor(samples.length / hopSamples));
  const shelf = shelfFilter(sampleRate);
  const highPass = highPassFilter(sampleRate);
  for (let hop = 0; hop < hops.length; hop += 1) {
    let energy = 0;
    for (let index = hop * hopSamples; index < (hop + 1) * hopSamples; index += 1) {
      const weighted = step(highPass, step(shelf, samples[index]));
      energy += weighted * weighted;
    }
    hops[hop] = energy;
  }
  return hops;
}

function shelfFilter(sampleRate) {
  const { frequencyHz, quality, gainDb, edgeExponent } = SHELF;
  const k = Math.tan((Math.PI * frequencyHz) / sampleRate);
  const high = 10 ** (gainDb / 20);
  const edge = high ** edgeExponent;
  const scale = 1 + k / quality + k * k;
  const b0 = (high + (edge * k) / quality + k * k) / scale;
  const b1 = (2 * (k * k - high)) / scale;
  const b2 = (high - (edge * k) / quality + k * k) / scale;
  return { b0, b1, b2, ...feedback(k, quality), z1: 0, z2: 0 };
}

function highPassFilter(sampleRate) {
  const k = Math.tan((Math.PI * HIGH_PASS.frequencyHz) / sampleRate);
  return { b0: 1, b1: -2, b2: 1, ...feedback(k, HIGH_PASS.quality), z1: 0, z2: 0 };
}

function feedback(k, quality) {
  const scale = 1 + k / quality + k * k;
  return { a1: (2 * (k * k - 1)) / scale, a2: (1 - k / quality + k * k) / scale };
}

/** One sample through a second-order filter, which keeps its state in z1 and z2. */
function step(filter, input) {
  const output = filter.b0 * input + filter.z1;
  filter.z1 = filter.b1 * input - filter.a1 * output + filter.z2;
  filter.z2 = filter.b2 * input - filter.a2 * output;
  return output;
}

function loudnessOf(power) {
  return OFFSET_LUFS + 10 * Math.log10(power);
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
