/**
 * Two channels of 16-bit samples that grow as they are written, in blocks of a second.
 *
 * Blocks that nothing is written to any more become blobs, which browsers may keep on disk, so a
 * long call takes no more memory than a short one.
 */

import { toInt16, wavHeader } from '../lib/wav.js';

const CHANNELS = 2;
const BYTES_PER_FRAME = 4;

export class StereoTrack {
  #rate;
  #blocks = []; // each an Int16Array of frames left, right, left...; or a Blob of one
  #sealed = 0; // how many are blobs

  /** @param {number} sampleRate */
  constructor(sampleRate) {
    this.#rate = sampleRate;
  }

  /**
   * @param {0 | 1} channel @param {number} frame where the samples begin
   * @param {Float32Array} samples
   */
  write(channel, frame, samples) {
    samples.forEach((sample, index) => this.#put(channel, frame + index, toInt16(sample)));
  }

  /** Takes back what has been written from `frame` to `endFrame`. */
  silence(channel, frame, endFrame) {
    for (let at = frame; at < endFrame; at += 1) this.#put(channel, at, 0);
  }

  /** Nothing before `frame` will be written any more. */
  seal(frame) {
    const complete = Math.min(Math.floor(frame / this.#rate), this.#blocks.length);
    for (; this.#sealed < complete; this.#sealed += 1) {
      this.#blocks[this.#sealed] = new Blob([this.#blocks[this.#sealed]]);
    }
  }

  /** @param {number} frames how long the file is to be @returns {Blob} a WAV file */
  toWav(frames) {
    this.#grow(frames);
    const dataBytes = frames * BYTES_PER_FRAME;
    const header = wavHeader({ channels: CHANNELS, sampleRate: this.#rate, dataBytes });
    const blob = new Blob([header, ...this.#blocks]);
    return blob.slice(0, header.length + dataBytes, 'audio/wav');
  }

  #put(channel, frame, value) {
    const block = Math.floor(frame / this.#rate);
    if (block < this.#sealed) return;
    this.#grow(frame + 1);
    this.#blocks[block][(frame - block * this.#rate) * CHANNELS + channel] = value;
  }

  #grow(frames) {
    while (this.#blocks.length * this.#rate < frames) {
      this.#blocks.push(new Int16Array(this.#rate * CHANNELS));
    }
  }
}
