/** Reads the figures of a call from its parts; see lib/call-figures.js. */

const SESSION_LETTERS = 12;

/**
 * @param {{machine: import('../lib/call-machine.js').CallMachine, player: object, input: object,
 *          stats: import('../lib/latency-stats.js').LatencyStats, contextLimit?: number}} parts
 * @returns {Record<string, number | string | boolean | null>}
 */
export function figuresOf({ machine, player, input, stats, contextLimit = null }) {
  const { traffic, speaking } = machine;
  const { gaps, holdMs, shiftMs } = player.stats;
  const { kvCacheLength } = stats;
  return {
    state: machine.state,
    session: traffic.sessionId?.slice(-SESSION_LETTERS) ?? null,
    model: speaking ? 'speaking' : 'listening',
    speaking,
    chunks: traffic.chunks,
    turns: traffic.turns ?? null,
    response_ms: stats.responseMs,
    slow_response_ms: stats.slowResponseMs,
    unit_ms: stats.unitMs,
    cost_ms: stats.costMs,
    first_speech_ms: stats.firstSpeechMs,
    round_trip_ms: stats.roundTripMs,
    context_tokens: kvCacheLength,
    context_percent: kvCacheLength === null ? null : (100 * kvCacheLength) / contextLimit,
    vision_slices: stats.visionSlices,
    vision_tokens: stats.visionTokens,
    hold_ms: holdMs,
    ahead_ms: player.aheadMs,
    gaps,
    shift_ms: shiftMs,
    drift_ms: stats.driftMs,
    backlog_bytes: traffic.backlogBytes,
    dropped_frames: traffic.dropped_frames ?? null,
    capture_gaps: input.captureGaps,
    underruns: traffic.gaps,
  };
}
