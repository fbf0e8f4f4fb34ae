/** Tells whether what a loudspeaker plays comes back through the microphone. */

const [LOW_HZ, HIGH_HZ] = [300, 3000];
const GAIN = 0.4;
const FADE_SHARE = 0.05;
const HEARD_LIKENESS = 0.12; // several times what chance or a voice brings about
const HALVING = 2; // the sweep needs no more than half of 16 kHz

/** A tone that rises evenly. @param {number} sampleRate @param {number} seconds */
export function sweep(sampleRate, seconds) {
  const count = Math.round(sampleRate * seconds);
  const growth = Math.log(HIGH_HZ / LOW_HZ);
  return Float32Array.from({ length: count }, (_, index) => {
    const share = index / count;
    const cycles = (LOW_HZ * seconds * (Math.exp(growth * share) - 1)) / growth;
    const fade = Math.min(1, share / FADE_SHARE, (1 - share) / FADE_SHARE);
    return GAIN * fade * Math.sin(2 * Math.PI * cycles);
  });
}

/**
 * @param {Float32Array} recorded @param {Float32Array} played both at 16 kHz; the recording is longer
 * @returns {{heard: boolean, likeness: number}} likeness 0..1 of the stretch that is most like it
 */
export function findEcho(recorded, played) {
  const [sound, pattern] = [halve(recorded), halve(played)];
  const patternPower = powerOf(pattern, 0, pattern.length);
  let soundPower = powerOf(sound, 0, pattern.length);
  let likeness = 0;
  for (let lag = 0; lag + pattern.length <= sound.length; lag += 1) {
    let product = 0;
    for (let index = 0; index < pattern.length; index += 1) {
      product += sound[lag + index] * pattern[index];
    }
    const size = Math.sqrt(Math.max(soundPower, 1e-9) * patternPower);
    likeness = Math.max(likeness, Math.abs(product) / size);
    soundPower += (sound[lag + pattern.length] ?? 0) ** 2 - sound[lag] ** 2;
  }
  return { heard: likeness >= HEARD_LIKENESS, likeness };
}

function halve(samples) {
  const length = Math.floor(samples.length / HALVING);
  return Float32Array.from({ length }, (_, index) => (samples[2 * index] + samples[2 * index + 1]) / 2);
}

function powerOf(samples, from, to) {
  let sum = 0;
  for (let index = from; index < to; index += 1) sum += samples[index] ** 2;
  return sum;
}
