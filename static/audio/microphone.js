/** The microphone: permission, the open stream, and one recording as 16 kHz mono samples. */

import { Failure } from '../lib/failure.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { joinSamples } from '../lib/pcm.js';
import { createCaptureNode } from './capture.js';
import { openCaptureContext } from './context.js';
import { meterBehind } from './levels.js';

const CHUNK_SAMPLES = SAMPLE_RATE / 4;
const LAST_CHUNK_LIMIT_MS = 1000; // a suspended context never sends it
const CONSTRAINTS = {
  channelCount: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};
const FAILURE_CODES = {
  NotAllowedError: 'mic_denied',
  SecurityError: 'mic_denied',
  NotFoundError: 'mic_missing',
  OverconstrainedError: 'mic_missing',
  NotReadableError: 'mic_busy',
};

/** Browser facilities are passed in, so that every failure can be tried without a device. */
export class Microphone {
  #browser;

  /**
   * @param {{isSecureContext: boolean, location: Location, navigator: Navigator,
   *          AudioContext: typeof AudioContext,
   *          AudioWorkletNode: typeof AudioWorkletNode}} browser
   */
  constructor(browser = globalThis) {
    this.#browser = browser;
  }

  /**
   * Asks for permission.
   * @param {string} [deviceId] that one and no other
   * @returns {Promise<MediaStream>} @throws {Failure}
   */
  async open(deviceId = '') {
    const { isSecureContext, location, navigator } = this.#browser;
    if (!isSecureContext || !navigator.mediaDevices) {
      throw new Failure('insecure_context', { params: { host: location.host } });
    }
    const device = deviceId === '' ? {} : { deviceId: { exact: deviceId } };
    const constraints = { audio: { ...CONSTRAINTS, ...device } };
    return navigator.mediaDevices.getUserMedia(constraints).catch((error) => {
      throw microphoneFailure(error);
    });
  }

  /**
   * Asks for permission and starts recording.
   * @param {{onEnded: () => void, stream?: MediaStream}} options `onEnded`: the device was
   *        unplugged; `stream`: is recorded instead, and stays open
   * @returns {Promise<Recording>} @throws {Failure}
   */
  async record({ onEnded, stream: given = null }) {
    const stream = given ?? (await this.open());
    const letGo = () => {
      if (given === null) stopTracks(stream);
    };
    try {
      return await this.#capture(stream, onEnded, letGo);
    } catch (error) {
      letGo();
      throw microphoneFailure(error);
    }
  }

  async #capture(stream, onEnded, letGo) {
    const { context, source } = openCaptureContext(stream, this.#browser.AudioContext);
    if (context.state === 'suspended') void context.resume();
    const node = await createCaptureNode(context, source, CHUNK_SAMPLES, this.#browser);
    stream.getAudioTracks()[0].onended = onEnded;
    return new Recording(letGo, context, node, meterBehind(context, source));
  }
}

/** Sound that is being recorded. */
class Recording {
  #letGo;
  #context;
  #port;
  #parts = [];
  #finished;

  constructor(letGo, context, node, meter) {
    this.meter = meter;
    this.#letGo = letGo;
    this.#context = context;
    this.#port = node.port;
    this.#finished = new Promise((resolve) => {
      this.#port.onmessage = ({ data }) => {
        this.#parts.push(data.audio);
        if (data.final) resolve();
      };
    });
    this.#port.postMessage({ type: 'start' });
  }

  /** @returns {Promise<Float32Array>} all of it, at 16 kHz */
  async stop() {
    this.#port.postMessage({ type: 'stop' });
    const limit = new Promise((resolve) => setTimeout(resolve, LAST_CHUNK_LIMIT_MS));
    await Promise.race([this.#finished, limit]);
    await this.#release();
    return joinSamples(this.#parts);
  }

  /** Throws the sound away and lets go of the microphone. */
  discard() {
    this.#port.postMessage({ type: 'stop' });
    return this.#release();
  }

  #release() {
    this.#letGo();
    return this.#context.close();
  }
}

/** Lets go of a device. @param {?MediaStream} stream */
export function stopTracks(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** @param {unknown} error of opening or capturing @returns {Failure} */
export function microphoneFailure(error) {
  if (error instanceof Failure) return error;
  return new Failure(FAILURE_CODES[error.name] ?? 'mic_failed', {
    message: error.message,
    cause: error,
  });
}
