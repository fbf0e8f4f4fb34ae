/** How loud a signal is right now, for meters. */

import { levelOf, peakOf, rmsDecibels } from '../lib/pcm.js';

const WINDOW_SAMPLES = 2048;

export class LevelMeter {
  #samples = new Float32Array(WINDOW_SAMPLES);

  /** @param {AnalyserNode} analyser also for drawings of the signal */
  constructor(analyser) {
    analyser.fftSize = WINDOW_SAMPLES;
    this.analyser = analyser;
  }

  /** @returns {number} 0 at -60 dB and below, 1 at full scale */
  read() {
    this.analyser.getFloatTimeDomainData(this.#samples);
    return levelOf(rmsDecibels(this.#samples));
  }

  /** @returns {{rmsDb: number, peakDb: number}} relative to full scale */
  readDecibels() {
    this.analyser.getFloatTimeDomainData(this.#samples);
    return { rmsDb: rmsDecibels(this.#samples), peakDb: 20 * Math.log10(peakOf(this.#samples)) };
  }
}

/** @param {BaseAudioContext} context @param {AudioNode} source @returns {LevelMeter} */
export function meterBehind(context, source) {
  const analyser = context.createAnalyser();
  source.connect(analyser);
  return new LevelMeter(analyser);
}
