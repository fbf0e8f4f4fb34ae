/**
 * Records a call as a WAV file: on the left what the model hears, on the right what it says.
 *
 * Both sides lie on one clock, that of the sound which is captured. It stands still while a call is
 * paused, so no pause moves the sides against each other. What the model was still saying when the
 * call was paused is kept to its end, before the recording goes on.
 */

import { SAMPLE_RATE, SPEECH_SAMPLE_RATE } from '../lib/limits.js';
import { Resampler } from '../lib/resampler.js';
import { StereoTrack } from './stereo-track.js';

const [LEFT, RIGHT] = [0, 1];
const FRAMES_PER_MS = SAMPLE_RATE / 1000;
const JOIN_FRAMES = 16; // pieces that lie closer than a millisecond belong together
const OPEN_FRAMES = 60 * SAMPLE_RATE; // how far back something may still change

export class StereoRecorder {
  #positionMs;
  #now;
  #track = new StereoTrack(SAMPLE_RATE);
  #pauses = []; // {frame, length}: where the capture stood still, and the speech that was added
  #leftEnd = 0;
  #rightEnd = 0;
  #sounding = []; // {frame, length, wallMs} of speech that may still be cut
  #resampler = null;

  /**
   * @param {{positionMs: () => number, now?: () => number}} clocks `positionMs`: how much has been
   *   captured by now; `now`: wall clock in milliseconds
   */
  constructor({ positionMs, now = () => performance.now() }) {
    [this.#positionMs, this.#now] = [positionMs, now];
  }

  /** @param {{samples: Float32Array, startFrame: number}} chunk at 16 kHz, as it was captured */
  hear({ samples, startFrame }) {
    const endFrame = startFrame + samples.length;
    const within = this.#pauses.filter(({ frame }) => frame > startFrame && frame < endFrame);
    const edges = [startFrame, ...within.map(({ frame }) => frame), endFrame];
    edges.slice(0, -1).forEach((edge, index) => {
      const part = samples.subarray(edge - startFrame, edges[index + 1] - startFrame);
      this.#track.write(LEFT, this.#placed(edge), part);
      this.#leftEnd = this.#placed(edge) + part.length;
    });
    this.#track.seal(this.#leftEnd - OPEN_FRAMES);
  }

  /** @param {{samples: Float32Array, wallMs: number}} piece at 24 kHz, and when it will sound */
  speak({ samples, wallMs }) {
    const leadFrames = Math.round((wallMs - this.#now()) * FRAMES_PER_MS);
    const wanted = this.#placed(this.#captured) + leadFrames;
    const follows = wanted - this.#rightEnd < JOIN_FRAMES;
    if (!follows || this.#resampler === null) {
      this.#resampler = new Resampler(SPEECH_SAMPLE_RATE, SAMPLE_RATE);
    }
    const frame = Math.max(0, follows ? this.#rightEnd : wanted);
    const resampled = this.#resampler.process(samples);
    this.#track.write(RIGHT, frame, resampled);
    this.#rightEnd = frame + resampled.length;
    const nowMs = this.#now();
    this.#sounding = this.#sounding.filter((piece) => endMs(piece) > nowMs);
    this.#sounding.push({ frame, length: resampled.length, wallMs });
  }

  /** Speech was silenced: what had not sounded by then was not heard. @param {{wallMs: number}} cut */
  cut({ wallMs }) {
    for (const { frame, length, wallMs: startMs } of this.#sounding) {
      const heard = Math.round((wallMs - startMs) * FRAMES_PER_MS);
      const end = frame + Math.min(length, Math.max(0, heard));
      if (end === frame + length) continue;
      this.#track.silence(RIGHT, end, frame + length);
      this.#rightEnd = Math.min(this.#rightEnd, end);
    }
    this.#sounding = [];
    this.#resampler = null;
  }

  /** Nothing more is captured, and what the model had to say has been heard to its end. */
  pause() {
    const frame = this.#captured;
    const length = Math.max(0, this.#rightEnd - this.#placed(frame));
    this.#pauses.push({ frame, length });
  }

  /** @returns {?Blob} the file; null when nothing has been recorded */
  finish() {
    const frames = Math.max(this.#leftEnd, this.#rightEnd);
    return frames === 0 ? null : this.#track.toWav(frames);
  }

  get #captured() {
    return Math.round(this.#positionMs() * FRAMES_PER_MS);
  }

  /** Where a captured frame lies in the file. */
  #placed(captured) {
    const before = this.#pauses.filter(({ frame }) => frame <= captured);
    return before.reduce((placed, { length }) => placed + length, captured);
  }
}

function endMs({ wallMs, length }) {
  return wallMs + length / FRAMES_PER_MS;
}
