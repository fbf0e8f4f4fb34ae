/**
 * How a call feels and how the service keeps up, from what is seen on this side.
 *
 * Response latency is from the end of the visitor's speech to the first sound of the answer. Drift
 * is how much later messages arrive than at the first one, by both clocks.
 */

const RECENT_TURNS = 5;

export class LatencyStats {
  #responses = [];
  #answeredSpeechMs = null;
  #firstOffsetMs = null;
  #lastListenMs = null;
  roundTripMs = null;
  driftMs = null;
  unitMs = null;
  costMs = null;
  firstSpeechMs = null; // from the last unit that listened to the first that spoke
  kvCacheLength = null;
  visionSlices = null;
  visionTokens = null;

  /** Median of the last five, in milliseconds; null before the first. */
  get responseMs() {
    return quantile(this.#responses.slice(-RECENT_TURNS), 0.5);
  }

  /** 95th percentile over the whole call. */
  get slowResponseMs() {
    return quantile(this.#responses, 0.95);
  }

  /**
   * The model's first sound of a turn.
   * @param {number} nowMs @param {?number} speechEndMs when the visitor was last heard
   */
  answered(nowMs, speechEndMs) {
    if (speechEndMs === null || speechEndMs === this.#answeredSpeechMs) return;
    this.#answeredSpeechMs = speechEndMs;
    if (nowMs > speechEndMs) this.#responses.push(nowMs - speechEndMs);
  }

  /**
   * @param {object} result as the event of net/duplex-api.js
   * @param {{receivedMs: number, roundTripMs: number}} times `receivedMs` since 1970
   */
  unit(result, { receivedMs, roundTripMs }) {
    if (result.skipped) return;
    this.roundTripMs = roundTripMs;
    this.unitMs = result.wallClockMs ?? result.costAllMs ?? this.unitMs;
    this.costMs = result.costAllMs ?? this.costMs;
    this.kvCacheLength = result.kvCacheLength ?? this.kvCacheLength;
    this.visionSlices = result.visionSlices ?? this.visionSlices;
    this.visionTokens = result.visionTokens ?? this.visionTokens;
    this.#followTurns(result.isListen, receivedMs);
    if (result.serverSendMs === null) return;
    const offsetMs = receivedMs - result.serverSendMs;
    this.#firstOffsetMs ??= offsetMs;
    this.driftMs = offsetMs - this.#firstOffsetMs;
  }

  #followTurns(isListen, receivedMs) {
    if (isListen) this.#lastListenMs = receivedMs;
    else if (this.#lastListenMs !== null) {
      this.firstSpeechMs = receivedMs - this.#lastListenMs;
      this.#lastListenMs = null;
    }
  }
}

function quantile(values, share) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}
