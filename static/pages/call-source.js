/** What a call takes in, as the visitor has chosen it: devices, a file, or both. */

import { asFailure, Failure } from '../lib/failure.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { SourcePicker } from '../ui/source-picker.js';

const SHORTEST_S = 1;

export class CallSource {
  #limitS;
  #pictures;
  #toaster;
  #file = null; // {name, samples}
  #choice = 0;
  picker;

  /**
   * @param {number} limitS longest file
   * @param {?object} pictures of an omni call, as omni-pictures.js
   */
  constructor(limitS, pictures, toaster) {
    [this.#limitS, this.#pictures, this.#toaster] = [limitS, pictures, toaster];
    this.picker = new SourcePicker(document);
    this.picker.on('file', (file) => this.#choose(file));
    this.picker.on('kind', (kind) => {
      pictures?.showKind(this.#file === null ? 'live' : kind);
      if (kind !== 'live' && this.#file === null) this.picker.choose();
    });
  }

  /** Whether a call can begin, or a file has to be chosen first. */
  get ready() {
    return this.picker.kind === 'live' || this.#file !== null;
  }

  /** @returns {{kind: 'live' | 'file' | 'both', samples: ?Float32Array, picture: ?object}} */
  get chosen() {
    const { kind } = this.picker;
    const picture = kind === 'live' ? this.#pictures?.ofCamera() : this.#pictures?.ofFile();
    return { kind, samples: this.#file?.samples ?? null, picture: picture ?? null };
  }

  /** Only the last choice counts. */
  async #choose(file) {
    this.#choice += 1;
    const choice = this.#choice;
    this.#file = null;
    this.picker.showFile(file.name, true);
    try {
      const samples = await this.#read(file);
      if (choice !== this.#choice) return;
      this.#file = { name: file.name, samples };
      this.#pictures?.showKind(this.picker.kind);
    } catch (error) {
      if (choice !== this.#choice) return;
      this.#toaster.failure(asFailure(error));
    }
    this.picker.showFile(this.#file?.name ?? null);
  }

  async #read(file) {
    const { decodeAudioFile } = await import('../audio/file-audio.js');
    const durationS = await this.#pictures?.openFile(file);
    const samples = await decodeAudioFile(file)
      .then((decoded) => decoded.samples)
      .catch((error) => this.#silenceOf(durationS, error));
    if (samples.length < SHORTEST_S * SAMPLE_RATE) {
      throw new Failure('file_too_short', { params: { name: file.name } });
    }
    const seconds = this.#limitS;
    if (samples.length <= seconds * SAMPLE_RATE) return samples;
    this.#toaster.news('call.file_shortened', { name: file.name, seconds });
    return samples.subarray(0, seconds * SAMPLE_RATE);
  }

  /** A video without a sound track is silent. */
  #silenceOf(durationS, error) {
    if (durationS === undefined || error.code !== 'file_unreadable') throw error;
    this.#toaster.news('call.file_silent');
    const seconds = Math.min(durationS, this.#limitS);
    return new Float32Array(Math.round(seconds * SAMPLE_RATE));
  }
}
