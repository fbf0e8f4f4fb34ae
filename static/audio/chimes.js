/** Plays the short sounds of a call on a context that is unlocked already. */

import { chimeScore, NEXT_PERIOD_S } from '../lib/chime-score.js';

const COMPRESSION = { threshold: -20, knee: 12, ratio: 4, attack: 0.003, release: 0.1 };

export class Chimes {
  #openContext;
  #isHushed;
  #context = null;
  #output = null; // where oscillators go: compressor -> volume -> loudspeaker
  #volume = null;
  #gain = 1;
  #freeAtS = 0;
  #repeating = null;

  /**
   * @param {() => AudioContext} openContext
   * @param {() => boolean} isHushed whether nothing may sound now, as while a voice is recorded
   */
  constructor(openContext, isHushed = () => false) {
    [this.#openContext, this.#isHushed] = [openContext, isHushed];
  }

  /** @param {number} gain 0..1; 0 is off */
  set volume(gain) {
    this.#gain = gain;
    if (this.#volume !== null) this.#volume.gain.value = gain;
  }

  /**
   * After what still sounds.
   * @param {'next' | 'turn' | 'begin' | 'end' | 'error'} name
   * @returns {number} milliseconds until it is over; 0 when it does not sound
   */
  play(name) {
    if (this.#gain === 0 || this.#isHushed()) return 0;
    this.#open();
    const { notes, lengthS } = chimeScore(name);
    const { currentTime } = this.#context;
    const startS = Math.max(currentTime, this.#freeAtS);
    for (const note of notes) this.#playNote(note, startS);
    this.#freeAtS = startS + lengthS;
    return (this.#freeAtS - currentTime) * 1000;
  }

  /** Again and again until `rest`. */
  repeatNext() {
    if (this.#repeating !== null) return;
    this.play('next');
    this.#repeating = setInterval(() => this.play('next'), NEXT_PERIOD_S * 1000);
  }

  rest() {
    clearInterval(this.#repeating);
    this.#repeating = null;
  }

  #open() {
    const context = this.#openContext();
    if (context === this.#context) return;
    this.#context = context;
    this.#freeAtS = 0;
    this.#output = context.createDynamicsCompressor();
    for (const [name, value] of Object.entries(COMPRESSION)) this.#output[name].value = value;
    this.#volume = context.createGain();
    this.#volume.gain.value = this.#gain;
    this.#output.connect(this.#volume).connect(context.destination);
  }

  #playNote({ frequencyHz, points, endS }, startS) {
    const [oscillator, shape] = [this.#context.createOscillator(), this.#context.createGain()];
    oscillator.frequency.value = frequencyHz;
    for (const [timeS, gain, curve] of points) CURVES[curve](shape.gain, gain, startS + timeS);
    oscillator.connect(shape).connect(this.#output);
    oscillator.start(startS + points[0][0]);
    oscillator.stop(startS + endS);
  }
}

const CURVES = {
  set: (param, value, timeS) => param.setValueAtTime(value, timeS),
  linear: (param, value, timeS) => param.linearRampToValueAtTime(value, timeS),
  exponential: (param, value, timeS) => param.exponentialRampToValueAtTime(value, timeS),
};
