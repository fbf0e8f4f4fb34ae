/**
 * The Web Audio side of speech: source -> fades -> volume -> analyser -> loudspeaker.
 *
 * One context runs at the rate of the speech, so that the browser resamples one stream and not each
 * piece alone, which would be heard as seams.
 */

import { SPEECH_SAMPLE_RATE } from '../lib/limits.js';

const EDGE_FADE_S = 0.005; // around holes
const CUT_FADE_S = 0.015;
const VOLUME_SMOOTHING_S = 0.01;

export class SpeechOutput {
  #context;
  #fades;
  #volume;
  #tap = null;
  #sources = new Set();
  #tailS = -Infinity; // when the last piece begins to fade out

  /** @param {typeof AudioContext} Context @param {() => void} onStateChange */
  constructor(Context, onStateChange) {
    const context = new Context({ sampleRate: SPEECH_SAMPLE_RATE });
    context.onstatechange = onStateChange;
    this.#context = context;
    this.#fades = context.createGain();
    this.#volume = context.createGain();
    this.analyser = context.createAnalyser();
    this.#fades.connect(this.#volume).connect(this.analyser).connect(context.destination);
  }

  get context() {
    return this.#context;
  }

  /** The context's clock, which stands still while the context is suspended. */
  get nowMs() {
    return this.#context.currentTime * 1000;
  }

  /** False while the browser, the system or `suspend` keeps it silent. */
  get running() {
    return this.#context.state === 'running';
  }

  /** Whether nothing is left to sound. */
  get empty() {
    return this.#sources.size === 0;
  }

  /** What is played at its own volume, for a recorder. @returns {MediaStream} */
  get stream() {
    if (this.#tap === null) {
      this.#tap = this.#context.createMediaStreamDestination();
      this.#fades.connect(this.#tap);
    }
    return this.#tap.stream;
  }

  set volume(gain) {
    this.#volume.gain.setTargetAtTime(gain, this.#context.currentTime, VOLUME_SMOOTHING_S);
  }

  /** @param {string} deviceId '' for the system's choice @throws {DOMException} */
  async useSpeaker(deviceId) {
    await this.#context.setSinkId?.(deviceId);
  }

  /**
   * @param {Float32Array} samples
   * @param {import('../lib/playout-clock.js').Placed} placed by this output's clock
   * @param {() => void} onEnded after its last sample; not called when it is cut
   */
  play(samples, { startMs, durationMs, follows }, onEnded) {
    const buffer = this.#context.createBuffer(1, samples.length, SPEECH_SAMPLE_RATE);
    buffer.copyToChannel(samples, 0);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#fades);
    source.onended = () => {
      if (this.#sources.delete(source)) onEnded();
    };
    this.#sources.add(source);
    const startS = wholeSamplesS(startMs);
    source.start(startS);
    this.#fadeEdges(startS, durationMs / 1000, follows);
  }

  /** Fades out in 15 ms and forgets everything that was scheduled. */
  cut() {
    const { currentTime } = this.#context;
    const endS = currentTime + (this.running ? CUT_FADE_S : 0);
    const { gain } = this.#fades;
    const { value } = gain;
    gain.cancelScheduledValues(currentTime);
    gain.setValueAtTime(value, currentTime);
    gain.linearRampToValueAtTime(0, endS);
    for (const source of this.#sources) source.stop(endS);
    this.#sources.clear();
    this.#tailS = -Infinity;
  }

  /** Browsers leave this pending until a click, so nothing waits for it. */
  resume() {
    void this.#context.resume();
  }

  suspend() {
    void this.#context.suspend();
  }

  close() {
    this.#context.onstatechange = null;
    void this.#context.close();
  }

  /** Every piece ends in a fade, which is taken back when the next one follows in time. */
  #fadeEdges(startS, durationS, follows) {
    const { gain } = this.#fades;
    const fadeS = Math.min(EDGE_FADE_S, durationS / 2);
    if (follows && this.#context.currentTime < this.#tailS) {
      gain.cancelScheduledValues(this.#tailS);
    } else {
      gain.setValueAtTime(0, startS);
      gain.linearRampToValueAtTime(1, startS + fadeS);
    }
    const endS = startS + durationS;
    this.#tailS = endS - fadeS;
    gain.setValueAtTime(1, this.#tailS);
    gain.linearRampToValueAtTime(0, endS);
  }
}

/** Between two samples a browser would interpolate, and pieces would not join exactly. */
function wholeSamplesS(timeMs) {
  return Math.round((timeMs / 1000) * SPEECH_SAMPLE_RATE) / SPEECH_SAMPLE_RATE;
}
