/**
 * What the model hears in a call: the microphone, a file, or both, in chunks of equal length.
 *
 * Everything runs through one graph (see mix-graph.js) whose clock sets the pace, so that pausing
 * it pauses the file and the chunks together. The file lies between two silences, and fills whole
 * chunks.
 *
 * The ear hears at once what a closed gate keeps from the model.
 *
 * Events: `chunk` {samples, startFrame, endMs}, `sound` {samples, endMs} of the ear, every 20 ms,
 * `ended` once the file is over, `warning` {failure}. `startFrame` counts what was captured before
 * the chunk.
 */

import { Emitter } from '../lib/emitter.js';
import { Failure } from '../lib/failure.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { createCaptureNode } from './capture.js';
import { openCaptureContext } from './context.js';
import { microphoneFailure, stopTracks } from './microphone.js';
import { MixGraph } from './mix-graph.js';

const STALL_MS = 2500;
const EAR_SAMPLES = SAMPLE_RATE / 50;
const CAPTURE_GAP_MS = 250; // so much later than expected, a chunk misses something

export class CallInput extends Emitter {
  #microphone;
  #file;
  #chunkSamples;
  #browser;
  #stream = null;
  #context = null;
  #gains;
  #graph = null;
  #node = null;
  #ear = null;
  #tap = null; // what is captured, as a stream
  #chunks = 0;
  #startS = null; // of the first chunk, on the context's clock
  #stallTimer = null;
  #muted = false;
  #open = true;
  #delayMs = 0;
  #heardMs = null; // when the last chunk came
  meter = null;
  /** How often sound was lost on the way from the device. */
  captureGaps = 0;

  /**
   * @param {{microphone: ?import('./microphone.js').Microphone, deviceId: string,
   *          file: ?{samples: Float32Array, headS: number, tailS: number}, gains?: object,
   *          chunkSamples?: number}} source
   *   `headS` and `tailS`: silence around the file; `gains` as in mix-graph.js; `chunkSamples`: at
   *   16 kHz, a second of them if not said
   * @param {object} [browser]
   */
  constructor(
    { microphone, deviceId = '', file = null, gains, chunkSamples = SAMPLE_RATE },
    browser = globalThis,
  ) {
    super();
    [this.#chunkSamples, this.#gains] = [chunkSamples, gains];
    [this.#microphone, this.#file, this.#browser] = [microphone, file, browser];
    this.deviceId = deviceId;
  }

  /** Asks for permission where a microphone is wanted. @throws {Failure} */
  async open() {
    if (this.#microphone !== null) this.#stream = await this.#openMicrophone(this.deviceId);
    try {
      await this.#build();
    } catch (error) {
      this.close();
      throw microphoneFailure(error);
    }
  }

  start() {
    this.#node.port.onmessage = ({ data }) => this.#heard(data);
    this.#ear.port.onmessage = ({ data }) => {
      this.emit('sound', { samples: data.audio, endMs: performance.now() });
    };
    for (const { port } of [this.#node, this.#ear]) port.postMessage({ type: 'start' });
    this.#graph.startFile(this.#file?.headS ?? 0);
    this.#watch();
  }

  /** How much has been captured; it stands still during pauses. */
  get positionMs() {
    return this.#startS === null ? 0 : (this.#context.currentTime - this.#startS) * 1000;
  }

  /** How loud everything is, also in the middle of a call. */
  set gains(gains) {
    this.#gains = gains;
    if (this.#graph !== null) this.#graph.gains = gains;
  }

  /** Levels of `file`, `microphone` and `mix`; null before it is open. */
  get meters() {
    return this.#graph?.meters ?? null;
  }

  /** What is captured, for a recorder. @returns {MediaStream} */
  get stream() {
    if (this.#tap === null) {
      this.#tap = this.#context.createMediaStreamDestination();
      this.#graph.out.connect(this.#tap);
    }
    return this.#tap.stream;
  }

  /** Forgets what has been heard of the next chunk, which begins now. */
  restart() {
    this.#heardMs = null;
    this.#node.port.postMessage({ type: 'start' });
  }

  pause() {
    clearTimeout(this.#stallTimer);
    unlessClosed(this.#context.suspend());
  }

  resume() {
    this.#heardMs = null;
    this.#watch();
    unlessClosed(this.#context.resume());
  }

  get muted() {
    return this.#muted;
  }

  /** The chunks go on without the microphone's sound. */
  set muted(on) {
    this.#muted = on;
    if (this.#graph !== null) this.#graph.open = !on;
  }

  /** Closed, the chunks go on with zeros in place of the microphone's sound. */
  set gateOpen(on) {
    this.#open = on;
    if (this.#graph !== null) this.#graph.gateOpen = on;
  }

  /** By how much the model hears later than the ear, so that a gate need not cut what opens it. */
  set delayMs(delayMs) {
    this.#delayMs = delayMs;
    if (this.#graph !== null) this.#graph.delayMs = delayMs;
  }

  /** Whether a file is heard, alone or beside the microphone. */
  get hasFile() {
    return this.#file !== null;
  }

  /** Takes another microphone, also in the middle of a call. @throws {Failure} */
  async useMicrophone(deviceId) {
    this.deviceId = deviceId;
    if (this.#stream === null) return;
    const stream = await this.#openMicrophone(deviceId);
    stopTracks(this.#stream ?? stream); // without a call by now, nobody is to listen
    if (this.#stream === null) return;
    this.#stream = stream;
    this.#graph.connectMicrophone(this.#context.createMediaStreamSource(stream));
  }

  close() {
    clearTimeout(this.#stallTimer);
    stopTracks(this.#stream);
    this.#stream = null;
    for (const port of [this.#node, this.#ear].map((node) => node?.port)) {
      port?.postMessage({ type: 'stop' });
      if (port) port.onmessage = null;
    }
    if (this.#context?.state !== 'closed') void this.#context?.close();
  }

  /** A remembered device that is gone is no reason not to talk. */
  async #openMicrophone(deviceId) {
    const stream = await this.#microphone.open(deviceId).catch((failure) => {
      if (deviceId === '' || failure.code !== 'mic_missing') throw failure;
      this.emit('warning', { failure: new Failure('mic_replaced') });
      return this.#microphone.open();
    });
    stream.getAudioTracks()[0].onended = () => {
      this.emit('warning', { failure: new Failure('mic_lost') });
    };
    return stream;
  }

  async #build() {
    const { AudioContext } = this.#browser;
    const opened = this.#stream && openCaptureContext(this.#stream, AudioContext);
    const context = opened?.context ?? new AudioContext({ sampleRate: SAMPLE_RATE });
    this.#context = context;
    if (context.state === 'suspended') unlessClosed(context.resume());
    const graph = new MixGraph(context, this.#gains, this.#browser);
    this.#graph = graph;
    graph.open = !this.#muted;
    [graph.gateOpen, graph.delayMs] = [this.#open, this.#delayMs];
    if (opened !== null) graph.connectMicrophone(opened.source);
    if (this.#file !== null) graph.connectFile(this.#file.samples, this.#browser);
    this.meter = graph.meters.mix;
    this.#node = await createCaptureNode(context, graph.out, this.#chunkSamples, this.#browser);
    this.#ear = await createCaptureNode(context, graph.ear, EAR_SAMPLES, this.#browser);
  }

  #heard({ audio: samples, startFrame, startS }) {
    this.#watch();
    this.#startS ??= startS;
    this.#chunks += 1;
    const nowMs = performance.now();
    this.#noticeGap(nowMs);
    this.emit('chunk', { samples, startFrame, endMs: nowMs - this.#delayMs });
    if (this.#file !== null && this.#chunks === this.#fileChunks) this.emit('ended', {});
  }

  /** How many chunks the file takes with the silence around it. */
  get #fileChunks() {
    const { samples, headS, tailS } = this.#file;
    const chunks = (count) => Math.ceil(count / this.#chunkSamples);
    return chunks(headS * SAMPLE_RATE) + chunks(samples.length) + chunks(tailS * SAMPLE_RATE);
  }

  #noticeGap(nowMs) {
    const chunkMs = (this.#chunkSamples / SAMPLE_RATE) * 1000;
    if (this.#heardMs !== null && nowMs - this.#heardMs - chunkMs > CAPTURE_GAP_MS) {
      this.captureGaps += 1;
    }
    this.#heardMs = nowMs;
  }

  /** A frozen tab, an unplugged device or a suspended context sends no more chunks. */
  #watch() {
    clearTimeout(this.#stallTimer);
    this.#stallTimer = setTimeout(() => {
      this.emit('warning', { failure: new Failure('capture_stalled') });
      unlessClosed(this.#context.resume());
    }, STALL_MS);
  }
}

/** A context that is closed meanwhile need not run or rest any more. */
function unlessClosed(change) {
  change.catch((error) => {
    if (error.name !== 'InvalidStateError') throw error;
  });
}
