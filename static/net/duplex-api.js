/**
 * A full-duplex call over `/ws/duplex/{session id}`; see call-connection.js.
 *
 * Events of its own:
 *   prepared {promptLength, recordingSessionId, window: ?{mode, high, low}, warning: ?string}
 *   result   {isListen, text, samples, endOfTurn, audioEpoch, interrupted, skipped, reason, warning,
 *             wallClockMs, costAllMs, kvCacheLength, visionSlices, visionTokens, serverSendMs}
 *   paused {timeoutS}, resumed {}, timeout {failure}
 */

import { base64ToBytes } from '../lib/base64.js';
import { Failure } from '../lib/failure.js';
import { bytesToFloats } from '../lib/pcm.js';
import { CallConnection, encodeSamples } from './call-connection.js';

export class DuplexConnection extends CallConnection {
  /** @param {string} url @param {object} [injected] as in call-connection.js */
  constructor(url, injected) {
    super(url, EVENTS, injected);
  }

  /**
   * @param {{record: boolean, systemPrompt: string, lengthPenalty: number, maxSliceNums: ?number,
   *          promptVoice: ?string, speechVoice: ?string}} settings voices are 16 kHz samples in
   *   base64; null is the service's own, and for the speech the same as for the prompt
   */
  prepare({ record, systemPrompt, lengthPenalty, maxSliceNums, promptVoice, speechVoice }) {
    this.send({
      type: 'prepare',
      record,
      system_prompt: systemPrompt,
      config: { length_penalty: lengthPenalty },
      deferred_finalize: true,
      ...(maxSliceNums && { max_slice_nums: maxSliceNums }),
      ...(promptVoice && { ref_audio_base64: promptVoice }),
      ...(speechVoice && { tts_ref_audio_base64: speechVoice }),
    });
  }

  /**
   * @param {{samples: Float32Array, frame: ?string, forceListen: boolean, maxSliceNums: ?number}}
   *   chunk one second at 16 kHz; `frame` is a JPEG in base64
   */
  sendChunk({ samples, frame, forceListen, maxSliceNums }) {
    this.send({
      type: 'audio_chunk',
      audio_base64: encodeSamples(samples),
      ...(frame && { frame_base64_list: [frame] }),
      ...(frame && maxSliceNums && { max_slice_nums: maxSliceNums }),
      ...(forceListen && { force_listen: true }),
    });
  }

  pause() {
    this.send({ type: 'pause' });
  }

  resume() {
    this.send({ type: 'resume' });
  }
}

const EVENTS = {
  prepared: (message) => [
    'prepared',
    {
      promptLength: message.prompt_length,
      recordingSessionId: message.recording_session_id ?? null,
      window: message.window ?? null,
      warning: message.warning ?? null,
    },
  ],
  result: (message) => ['result', resultOf(message)],
  paused: ({ timeout }) => ['paused', { timeoutS: timeout }],
  resumed: () => ['resumed', {}],
  timeout: ({ reason = '' }) => [
    'timeout',
    { failure: new Failure('session_timeout', { message: reason }) },
  ],
};

function resultOf(message) {
  return {
    isListen: message.is_listen,
    text: message.text ?? '',
    samples: message.audio_data ? bytesToFloats(base64ToBytes(message.audio_data)) : null,
    endOfTurn: message.end_of_turn === true,
    audioEpoch: message.audio_epoch ?? 0,
    interrupted: message.interrupted === true,
    skipped: message.skipped === true,
    reason: message.reason ?? null,
    warning: message.warning ?? null,
    wallClockMs: message.wall_clock_ms ?? null,
    costAllMs: message.cost_all_ms ?? null,
    kvCacheLength: message.kv_cache_length ?? null,
    visionSlices: message.vision_slices ?? null,
    visionTokens: message.vision_tokens ?? null,
    serverSendMs: message.server_send_ts ? message.server_send_ts * 1000 : null,
  };
}
