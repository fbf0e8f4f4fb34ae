/**
 * A half-duplex call over `/ws/half_duplex/{session id}`; see call-connection.js.
 *
 * Events of its own:
 *   prepared   {timeoutS, recordingSessionId, warning: ?string}
 *   hearing    {speaking}                     the service notices that the visitor speaks
 *   generating {speechMs}                     what was said is answered now
 *   chunk      {text, samples, audioEpoch}    more of the answer
 *   turnDone   {text, stopped, interrupted, audioEpoch, warning: ?string}
 *   truncated  {audioEpoch, text}             what is left of an answer that was cut
 *   timeout    {failure}
 */

import { base64ToBytes } from '../lib/base64.js';
import { Failure } from '../lib/failure.js';
import { bytesToFloats } from '../lib/pcm.js';
import { wireItems } from '../lib/system-content.js';
import { CallConnection, encodeSamples, newSessionId } from './call-connection.js';
import { getJson } from './http.js';
import { socketUrl } from './socket.js';

const STOP_URL = '/api/half_duplex/stop';

export class HalfDuplexConnection extends CallConnection {
  #sessionId;
  #fetch;

  /**
   * @param {{protocol: string, host: string}} location of the page
   * @param {object} [injected] as in call-connection.js, and `fetch`
   */
  constructor(location, { fetch = globalThis.fetch, ...injected } = {}) {
    const sessionId = newSessionId('hdx');
    super(socketUrl(location, `/ws/half_duplex/${sessionId}`), EVENTS, injected);
    [this.#sessionId, this.#fetch] = [sessionId, fetch];
  }

  /**
   * @param {{record: boolean, content: object[], threshold: number, minSilenceMs: number,
   *          maxNewTokens: number, lengthPenalty: number, temperature: number, spoken: boolean,
   *          limitS: number}} settings `content` as in lib/system-content.js; answers take the
   *   first voice in it
   */
  prepare(settings) {
    this.send({
      type: 'prepare',
      record: settings.record,
      system_content: wireItems(settings.content),
      config: {
        vad: { threshold: settings.threshold, min_silence_duration_ms: settings.minSilenceMs },
        generation: {
          max_new_tokens: settings.maxNewTokens,
          length_penalty: settings.lengthPenalty,
          temperature: settings.temperature,
        },
        tts: { enabled: settings.spoken },
        session: { timeout_s: settings.limitS },
      },
    });
  }

  /** @param {Float32Array} samples half a second at 16 kHz */
  sendChunk(samples) {
    this.send({ type: 'audio_chunk', audio_base64: encodeSamples(samples) });
  }

  /**
   * Asks for the end of the answer, and not of the call.
   * @returns {Promise<boolean>} whether there was one @throws {Failure}
   */
  async stopAnswer() {
    const fetch = this.#fetch;
    const body = JSON.stringify({ session_id: this.#sessionId });
    const post = (url, options) => {
      const headers = { ...options.headers, 'content-type': 'application/json' };
      return fetch(url, { ...options, method: 'POST', headers, body });
    };
    const { success } = await getJson(STOP_URL, { fetch: post });
    return success;
  }
}

const EVENTS = {
  prepared: (message) => [
    'prepared',
    {
      timeoutS: message.timeout_s,
      recordingSessionId: message.recording_session_id ?? null,
      warning: message.warning ?? null,
    },
  ],
  vad_state: ({ speaking }) => ['hearing', { speaking }],
  generating: ({ speech_duration_ms: speechMs }) => ['generating', { speechMs }],
  chunk: ({ text_delta: text, audio_data: data, audio_epoch: audioEpoch = 0 }) => {
    const samples = data ? bytesToFloats(base64ToBytes(data)) : null;
    return ['chunk', { text: text ?? '', samples, audioEpoch }];
  },
  turn_done: (message) => [
    'turnDone',
    {
      text: message.text,
      stopped: message.stopped ?? false,
      interrupted: message.interrupted ?? false,
      audioEpoch: message.audio_epoch ?? 0,
      warning: message.warning ?? null,
    },
  ],
  truncated: ({ audio_epoch: audioEpoch, text }) => ['truncated', { audioEpoch, text }],
  timeout: ({ reason = 'session_timeout' }) => ['timeout', { failure: new Failure(reason) }],
};
