/**
 * When each piece of a spoken turn sounds: arithmetic over one clock, without Web Audio.
 *
 * The pieces of a turn are collected for `playbackDelayMs` from the arrival of the first, then
 * sound back to back. A piece that comes after the end of the one before leaves a gap, and then
 * waits a moment longer, so that one late piece does not become a row of gaps. All times are
 * milliseconds of the clock that the caller reads.
 */

const LEAD_MS = 20; // what is scheduled for now would lose its first samples
const LATE_MS = 10; // a piece that is later than this leaves a gap that is heard
const REFILL_MS = 40;

const ADAPT_UP_MS = 40; // for each gap
const ADAPT_DOWN_MS = 20; // for each quiet period
const QUIET_PERIOD_MS = 20_000;
const ADAPT_LIMIT_MS = 600;

export class PlayoutClock {
  #raisedMs = 0; // what adapting adds to the delay
  #quietSinceMs = null;
  #endMs = -Infinity; // of the last placed piece
  #firstArrivalMs = null;
  #held = []; // durations of pieces that wait for the end of the hold
  #pieces = []; // placed ones of this turn
  #stats = emptyStats();

  /** @param {{playbackDelayMs: number, adaptive?: boolean}} options */
  constructor({ playbackDelayMs, adaptive = false }) {
    [this.playbackDelayMs, this.adaptive] = [playbackDelayMs, adaptive];
  }

  /** How long a turn is held; adapting lets it grow with gaps and shrink with quiet. */
  get holdTargetMs() {
    return this.playbackDelayMs + this.#raisedMs;
  }

  /** Of this turn. `shiftMs` is how much later than without gaps it will end. */
  get stats() {
    return { ...this.#stats };
  }

  /** What still sounds of the turn before is played out first. */
  beginTurn(nowMs) {
    if (this.adaptive) this.#adapt(nowMs);
    else this.#raisedMs = 0;
    this.#firstArrivalMs = null;
    this.#held = [];
    this.#pieces = [];
    this.#stats = emptyStats();
  }

  /** @returns {Placed[]} what can be scheduled now; nothing while the turn is held */
  arrive(nowMs, durationMs) {
    this.#firstArrivalMs ??= nowMs;
    this.#held.push(durationMs);
    const holds = this.#pieces.length === 0 && this.holdLeftMs(nowMs) > 0;
    return holds ? [] : this.release(nowMs);
  }

  /** @returns {?number} until the held pieces should be released; null when none are held */
  holdLeftMs(nowMs) {
    if (this.#held.length === 0) return null;
    return Math.max(0, this.#firstArrivalMs + this.holdTargetMs - nowMs);
  }

  /**
   * Ends the hold.
   * @typedef {{startMs: number, durationMs: number, gapMs: number, follows: boolean}} Placed
   *          `follows`: without a break after the piece before
   * @returns {Placed[]} the held pieces in their order
   */
  release(nowMs) {
    return this.#held.splice(0).map((durationMs) => this.#place(nowMs, durationMs));
  }

  /** Forgets what has not sounded. @returns {number} how much of this turn has */
  cut(nowMs) {
    const heardMs = this.playedMs(nowMs);
    this.#held = [];
    this.#pieces = [{ startMs: nowMs - heardMs, durationMs: heardMs }];
    this.#endMs = nowMs;
    return heardMs;
  }

  /** How much of this turn has sounded. */
  playedMs(nowMs) {
    const heardOf = ({ startMs, durationMs }) => clamp(nowMs - startMs, 0, durationMs);
    return this.#pieces.reduce((sum, piece) => sum + heardOf(piece), 0);
  }

  /** How much there is to play still. */
  aheadMs(nowMs) {
    const heldMs = this.#held.reduce((sum, durationMs) => sum + durationMs, 0);
    return heldMs + Math.max(0, this.#endMs - nowMs);
  }

  #place(nowMs, durationMs) {
    const previousEndMs = this.#endMs;
    const isFirst = this.#pieces.length === 0;
    const isLate = !isFirst && nowMs - previousEndMs > LATE_MS;
    const marginMs = isFirst ? LEAD_MS : isLate ? REFILL_MS : 0;
    const startMs = Math.max(nowMs + marginMs, previousEndMs);
    const gapMs = isLate ? startMs - previousEndMs : 0;
    if (isFirst) this.#stats.holdMs = startMs - this.#firstArrivalMs;
    else this.#stats.shiftMs += startMs - previousEndMs;
    if (isLate) this.#countGap(nowMs, gapMs);
    this.#endMs = startMs + durationMs;
    this.#pieces.push({ startMs, durationMs });
    return { startMs, durationMs, gapMs, follows: startMs === previousEndMs };
  }

  #countGap(nowMs, gapMs) {
    this.#stats.gaps += 1;
    this.#stats.gapMs += gapMs;
    this.#quietSinceMs = nowMs;
  }

  /** Between turns only: a delay that grew while one sounds would be a gap itself. */
  #adapt(nowMs) {
    this.#quietSinceMs ??= nowMs;
    const periods = Math.floor((nowMs - this.#quietSinceMs) / QUIET_PERIOD_MS);
    this.#quietSinceMs += periods * QUIET_PERIOD_MS;
    const changeMs = this.#stats.gaps * ADAPT_UP_MS - periods * ADAPT_DOWN_MS;
    const roomMs = Math.max(0, ADAPT_LIMIT_MS - this.playbackDelayMs);
    this.#raisedMs = clamp(this.#raisedMs + changeMs, 0, roomMs);
  }
}

function emptyStats() {
  return { gaps: 0, gapMs: 0, shiftMs: 0, holdMs: 0 };
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
