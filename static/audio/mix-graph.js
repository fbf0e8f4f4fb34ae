/**
 * The nodes of the mixer, in one context:
 *
 *   microphone -> gate -> delay -> talk gate -> gain -> mix -> what the model hears
 *                   `--> ear
 *   file -------------------------------------> gain -> mix, ear
 *        `--> monitor -> loudspeaker
 */

import { SAMPLE_RATE } from '../lib/limits.js';
import { meterBehind } from './levels.js';

const SMOOTHING_S = 0.02;
const LONGEST_DELAY_S = 1;
const NEUTRAL = { file: 1, microphone: 1, monitor: 0 };

export class MixGraph {
  #context;
  #nodes;
  #gate;
  #delay;
  #talkGate;
  #player = null; // of the file
  out;
  ear;

  /**
   * @param {BaseAudioContext} context
   * @param {{file: number, microphone: number, monitor: number}} [gains] linear
   * @param {object} [browser]
   */
  constructor(context, gains = NEUTRAL, browser = globalThis) {
    const { GainNode } = browser;
    const gainNode = (gain) => new GainNode(context, { gain });
    this.#context = context;
    this.#gate = gainNode(1);
    const [file, microphone, monitor] = [gains.file, gains.microphone, gains.monitor].map(gainNode);
    this.#nodes = { file, microphone, monitor };
    [this.#talkGate, this.out, this.ear] = [gainNode(1), gainNode(1), gainNode(1)];
    this.#delay = context.createDelay(LONGEST_DELAY_S);
    this.#gate.connect(this.#delay).connect(this.#talkGate).connect(microphone).connect(this.out);
    this.#gate.connect(this.ear);
    file.connect(this.out);
    file.connect(this.ear);
    monitor.connect(context.destination);
    this.meters = {
      file: meterBehind(context, file),
      microphone: meterBehind(context, microphone),
      mix: meterBehind(context, this.out),
    };
  }

  set gains(gains) {
    for (const [name, { gain }] of Object.entries(this.#nodes)) {
      gain.setTargetAtTime(gains[name], this.#context.currentTime, SMOOTHING_S);
    }
  }

  /** Whether the microphone is let through. */
  set open(on) {
    this.#gate.gain.value = on ? 1 : 0;
  }

  /** Whether the model hears of the microphone what the ear does. */
  set gateOpen(on) {
    this.#talkGate.gain.value = on ? 1 : 0;
  }

  /** By how much the model hears the microphone later than the ear. */
  set delayMs(delayMs) {
    this.#delay.delayTime.value = delayMs / 1000;
  }

  /** @param {AudioNode} source */
  connectMicrophone(source) {
    source.connect(this.#gate);
  }

  /** @param {Float32Array} samples at 16 kHz; they sound once `startFile` is called */
  connectFile(samples, browser = globalThis) {
    const buffer = this.#context.createBuffer(1, samples.length, SAMPLE_RATE);
    buffer.copyToChannel(samples, 0);
    this.#player = new browser.AudioBufferSourceNode(this.#context, { buffer });
    this.#player.connect(this.#nodes.file);
    this.#player.connect(this.#nodes.monitor);
  }

  /** @param {number} delayS on the context's clock */
  startFile(delayS) {
    this.#player?.start(this.#context.currentTime + delayS);
  }
}
