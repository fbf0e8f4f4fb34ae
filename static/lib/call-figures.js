/**
 * The figures of a call: what each is now, how good that is, and how it has been.
 *
 * Values are numbers in the unit that the name ends with, or words; null is not known (yet).
 */

const SERIES_LENGTH = 60;

/** Below the first it is good, below the second fair, then poor. */
const LIMITS = {
  response_ms: [1500, 3000],
  slow_response_ms: [1500, 3000],
  unit_ms: [700, 1000], // a second of sound has to be done within a second
  first_speech_ms: [1000, 2000],
  round_trip_ms: [1200, 2000],
  context_percent: [50, 80],
  vision_slices: [2, Infinity],
  shift_ms: [1, 200],
  drift_ms: [50, 200],
  backlog_bytes: [100_000, 1_000_000],
  dropped_frames: [1, 5],
  capture_gaps: [1, 3],
  underruns: [1, 3],
};
const [MUCH_AHEAD_MS, LITTLE_AHEAD_MS] = [200, 50];

export class CallFigures {
  #values = {};
  #series = {};

  /** The last ones. */
  get values() {
    return this.#values;
  }

  /** The last 60 of each that is a number, oldest first. */
  get series() {
    return this.#series;
  }

  /** @param {Record<string, number | string | null>} values at one moment */
  record(values) {
    this.#values = values;
    for (const [name, value] of Object.entries(values)) {
      if (!Number.isFinite(value)) continue;
      this.#series[name] = [...(this.#series[name] ?? []), value].slice(-SERIES_LENGTH);
    }
  }

  /** @returns {string} all of it, for whoever looks into a problem */
  asJson() {
    return JSON.stringify({ values: this.#values, series: this.#series }, null, 2);
  }
}

/** @param {string} name @param {object} values @returns {?('good' | 'fair' | 'poor')} */
export function levelOf(name, values) {
  const value = values[name];
  if (!Number.isFinite(value)) return null;
  if (name === 'ahead_ms') return aheadLevel(values);
  if (!(name in LIMITS)) return null;
  const [good, fair] = LIMITS[name];
  const size = Math.abs(value);
  if (size < good) return 'good';
  return size < fair ? 'fair' : 'poor';
}

/** Only while the model speaks does little sound ahead mean anything. */
function aheadLevel({ ahead_ms: aheadMs, gaps, speaking }) {
  if (!speaking) return null;
  if (gaps > 0 || aheadMs <= LITTLE_AHEAD_MS) return 'poor';
  return aheadMs > MUCH_AHEAD_MS ? 'good' : 'fair';
}
