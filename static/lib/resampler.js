/**
 * Sample-rate conversion with a windowed-sinc polyphase FIR filter.
 *
 * The low-pass comes before the decimation, so nothing above the new band folds back into it. All
 * filter phases are computed once; history is kept between calls, so pieces join without seams.
 * The output lags the input by half the filter (1.5 ms at 16 kHz).
 */

const ZERO_CROSSINGS = 24; // on each side, of the sinc at the lower of the two rates
const KAISER_BETA = 8;
const CUTOFF = 0.45; // of the lower rate: 7.2 kHz at 16 kHz

export class Resampler {
  #upFactor;
  #downFactor;
  #phases;
  #taps;
  #buffer; // the last taps - 1 samples, then the piece at hand
  #consumed = 0; // input samples seen so far
  #produced = 0; // output samples given so far

  /** @param {number} inputRate Hz, whole @param {number} outputRate Hz, whole */
  constructor(inputRate, outputRate) {
    const divisor = greatestCommonDivisor(inputRate, outputRate);
    this.#upFactor = outputRate / divisor;
    this.#downFactor = inputRate / divisor;
    const lowerRate = Math.min(inputRate, outputRate);
    const halfTaps = Math.ceil((ZERO_CROSSINGS * inputRate) / lowerRate);
    this.#taps = 2 * halfTaps + 1;
    this.#phases = Array.from({ length: this.#upFactor }, (_, phase) =>
      filterPhase(phase / this.#upFactor, halfTaps, (CUTOFF * lowerRate) / inputRate),
    );
    this.#buffer = new Float32Array(2 * this.#taps);
  }

  get taps() {
    return this.#taps;
  }

  /** @param {Float32Array} input the next piece @returns {Float32Array} what it completes */
  process(input) {
    const kept = this.#taps - 1;
    this.#makeRoom(kept + input.length);
    this.#buffer.set(input, kept);
    const firstIndex = this.#consumed - kept; // input index of buffer[0]
    this.#consumed += input.length;
    const total = Math.ceil((this.#consumed * this.#upFactor) / this.#downFactor);
    const output = new Float32Array(total - this.#produced);
    for (let index = 0; index < output.length; index += 1) {
      const position = (this.#produced + index) * this.#downFactor; // in 1/upFactor input samples
      const newest = Math.floor(position / this.#upFactor);
      const phase = this.#phases[position % this.#upFactor];
      output[index] = convolve(phase, this.#buffer, newest - firstIndex);
    }
    this.#produced = total;
    this.#buffer.copyWithin(0, input.length, input.length + kept);
    return output;
  }

  #makeRoom(length) {
    if (this.#buffer.length >= length) return;
    const larger = new Float32Array(length);
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

function convolve(phase, samples, newest) {
  let sum = 0;
  for (let tap = 0; tap < phase.length; tap += 1) sum += phase[tap] * samples[newest - tap];
  return sum;
}

/** Coefficients for outputs that lie `fraction` of a sample after the newest input; sum is 1. */
function filterPhase(fraction, halfTaps, cutoff) {
  const coefficients = new Float64Array(2 * halfTaps + 1);
  let sum = 0;
  for (let tap = 0; tap < coefficients.length; tap += 1) {
    const time = tap + fraction - halfTaps;
    const window = kaiser(time / (halfTaps + 1));
    coefficients[tap] = 2 * cutoff * sinc(2 * cutoff * time) * window;
    sum += coefficients[tap];
  }
  return Float32Array.from(coefficients, (coefficient) => coefficient / sum);
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  if (Math.abs(x) >= 1) return 0;
  return besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
