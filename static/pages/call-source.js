/** What a call takes in, as the visitor has chosen it: devices, a file, or both. */

import { Emitter } from '../lib/emitter.js';
import { asFailure, Failure } from '../lib/failure.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { SourcePicker } from '../ui/source-picker.js';

const SHORTEST_S = 1;

/** Event: `change`, of the file or of how it is used. */
export class CallSource extends Emitter {
  #limitS;
  #pictures;
  #toaster;
  #file = null; // {name, lengthS, samples, lufs}
  #choice = 0;
  picker;

  /**
   * @param {number} limitS longest file
   * @param {?object} pictures of an omni call, as omni-pictures.js
   */
  constructor(limitS, pictures, toaster) {
    super();
    [this.#limitS, this.#pictures, this.#toaster] = [limitS, pictures, toaster];
    this.picker = new SourcePicker(document);
    this.picker.on('file', (file) => this.#choose(file));
    this.picker.on('kind', (kind) => {
      pictures?.showKind(this.#file === null ? 'live' : kind);
      if (kind !== 'live' && this.#file === null) this.picker.choose();
      this.emit('change', {});
    });
  }

  /** Whether a call can begin, or a file has to be chosen first. */
  get ready() {
    return this.picker.kind === 'live' || this.#file !== null;
  }

  /**
   * What is heard. A file that is only seen is a silent one with the microphone.
   * @returns {{kind: 'live' | 'file' | 'both', samples: ?Float32Array, lufs: number}} `lufs`: how
   *   loud the file is
   */
  get sound() {
    const { kind } = this.picker;
    if (kind === 'live') return { kind, samples: null, lufs: -Infinity };
    const { samples, lufs } = this.#file;
    if (kind !== 'seen') return { kind, samples, lufs };
    return { kind: 'both', samples: new Float32Array(samples.length), lufs: -Infinity };
  }

  /** @returns {object} what is heard, and in `picture` what is seen, or null */
  get chosen() {
    const { sound } = this;
    const picture =
      sound.kind === 'live'
        ? this.#pictures?.ofCamera()
        : this.#pictures?.ofFile(Math.ceil(sound.samples.length / SAMPLE_RATE));
    return { ...sound, picture: picture ?? null };
  }

  /** Only the last choice counts. */
  async #choose(file) {
    this.#choice += 1;
    const choice = this.#choice;
    this.#file = null;
    this.picker.showPreparing(file.name);
    try {
      const samples = await this.#read(file);
      const { integratedLoudness } = await import('../lib/lufs.js');
      if (choice !== this.#choice) return;
      const lufs = integratedLoudness(samples, SAMPLE_RATE);
      this.#file = { name: file.name, lengthS: samples.length / SAMPLE_RATE, samples, lufs };
      this.#pictures?.showKind(this.picker.kind);
    } catch (error) {
      if (choice !== this.#choice) return;
      this.#toaster.failure(asFailure(error));
    }
    this.picker.showFile(this.#file);
    this.emit('change', {});
  }

  async #read(file) {
    const { decodeBeginning } = await import('../audio/file-audio.js');
    const limitS = this.#limitS;
    const durationS = await this.#lengthOf(file);
    if (durationS < SHORTEST_S) throw new Failure('file_too_short', { params: { name: file.name } });
    if (durationS > limitS) {
      this.#toaster.news('call.file_shortened', { name: file.name, seconds: limitS });
    }
    const decoded = decodeBeginning(file, { durationS, limitS });
    if (this.#pictures === null) return (await decoded).samples;
    const { samples } = await decoded.catch((error) => this.#silence(error));
    const fitting = new Float32Array(Math.round(Math.min(durationS, limitS) * SAMPLE_RATE));
    fitting.set(samples.subarray(0, fitting.length));
    return fitting;
  }

  /** @returns {Promise<number>} seconds @throws {Failure} */
  async #lengthOf(file) {
    if (this.#pictures !== null) return this.#pictures.openFile(file);
    const { openMediaFile } = await import('../video/video-file.js');
    const { url, durationS } = await openMediaFile(file, document.createElement('audio'));
    URL.revokeObjectURL(url);
    return durationS;
  }

  /** A video without a sound track is silent. */
  #silence(error) {
    if (error.code !== 'file_unreadable') throw error;
    this.#toaster.news('call.file_silent');
    return { samples: new Float32Array() };
  }
}
