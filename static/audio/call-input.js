/**
 * What the model hears in a call: the microphone, a file, or both, in chunks of equal length.
 *
 * Everything runs through one graph whose clock sets the pace, so that pausing it pauses the file
 * and the chunks together:
 *
 *   microphone -> mute -> mix -> capture worklet
 *   file ---------------> mix
 *        `--> monitor -> loudspeaker
 *
 * Events: `chunk` {samples, endMs}, `ended` once the file is over, `warning` {failure}.
 */

import { Emitter } from '../lib/emitter.js';
import { Failure } from '../lib/failure.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { createCaptureNode } from './capture.js';
import { openCaptureContext } from './context.js';
import { meterBehind } from './levels.js';
import { microphoneFailure, stopTracks } from './microphone.js';

const STALL_MS = 2500;

export class CallInput extends Emitter {
  #microphone;
  #file;
  #chunkSamples;
  #browser;
  #stream = null;
  #context = null;
  #mute = null;
  #mix = null;
  #node = null;
  #player = null; // of the file
  #chunks = 0;
  #stallTimer = null;
  #muted = false;
  meter = null;

  /**
   * @param {{microphone: ?import('./microphone.js').Microphone, deviceId: string,
   *          file: ?{samples: Float32Array, tailS: number, monitorGain: number},
   *          chunkSamples?: number}} source
   *   `tailS`: silence after the file; `chunkSamples`: at 16 kHz, a second of them if not said
   * @param {object} [browser]
   */
  constructor(
    { microphone, deviceId = '', file = null, chunkSamples = SAMPLE_RATE },
    browser = globalThis,
  ) {
    super();
    this.#chunkSamples = chunkSamples;
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
    this.#node.port.onmessage = ({ data }) => this.#heard(data.audio);
    this.#node.port.postMessage({ type: 'start' });
    this.#player?.start();
    this.#watch();
  }

  /** Forgets what has been heard of the next chunk, which begins now. */
  restart() {
    this.#node.port.postMessage({ type: 'start' });
  }

  pause() {
    clearTimeout(this.#stallTimer);
    unlessClosed(this.#context.suspend());
  }

  resume() {
    this.#watch();
    unlessClosed(this.#context.resume());
  }

  get muted() {
    return this.#muted;
  }

  /** The chunks go on without the microphone's sound. */
  set muted(on) {
    this.#muted = on;
    if (this.#mute !== null) this.#mute.gain.value = on ? 0 : 1;
  }

  /** Takes another microphone, also in the middle of a call. @throws {Failure} */
  async useMicrophone(deviceId) {
    this.deviceId = deviceId;
    if (this.#stream === null) return;
    const stream = await this.#openMicrophone(deviceId);
    stopTracks(this.#stream ?? stream); // without a call by now, nobody is to listen
    if (this.#stream === null) return;
    this.#stream = stream;
    this.#context.createMediaStreamSource(stream).connect(this.#mute);
  }

  close() {
    clearTimeout(this.#stallTimer);
    stopTracks(this.#stream);
    this.#stream = null;
    this.#node?.port.postMessage({ type: 'stop' });
    if (this.#node !== null) this.#node.port.onmessage = null;
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
    const { AudioContext, GainNode } = this.#browser;
    const opened = this.#stream && openCaptureContext(this.#stream, AudioContext);
    const context = opened?.context ?? new AudioContext({ sampleRate: SAMPLE_RATE });
    this.#context = context;
    if (context.state === 'suspended') unlessClosed(context.resume());
    this.#mix = new GainNode(context);
    this.#mute = new GainNode(context, { gain: this.#muted ? 0 : 1 });
    this.#mute.connect(this.#mix);
    opened?.source.connect(this.#mute);
    if (this.#file !== null) this.#connectFile(this.#file);
    this.meter = meterBehind(context, this.#mix);
    this.#node = await createCaptureNode(context, this.#mix, this.#chunkSamples, this.#browser);
  }

  #connectFile({ samples, monitorGain }) {
    const context = this.#context;
    const buffer = context.createBuffer(1, samples.length, SAMPLE_RATE);
    buffer.copyToChannel(samples, 0);
    const monitor = new this.#browser.GainNode(context, { gain: monitorGain });
    this.#player = new this.#browser.AudioBufferSourceNode(context, { buffer });
    this.#player.connect(this.#mix);
    this.#player.connect(monitor).connect(context.destination);
  }

  #heard(samples) {
    this.#watch();
    this.#chunks += 1;
    this.emit('chunk', { samples, endMs: performance.now() });
    if (this.#file === null) return;
    const length = this.#file.samples.length + this.#file.tailS * SAMPLE_RATE;
    if (this.#chunks === Math.ceil(length / this.#chunkSamples)) this.emit('ended', {});
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
