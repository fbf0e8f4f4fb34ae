/** The sound of a call, a few units at a time: from the merged file, or put together from pieces. */

import { Failure } from '../lib/failure.js';
import { mixUnit, sampleAt, samplesOf } from '../lib/stereo.js';
import { readWavHeader, readWavSamples, toSamples } from '../lib/wav-reader.js';

const HEADER_BYTES = 4096;
const FRAME_BYTES = 4; // left and right, 16 bits each

/** Reads ranges of the merged file. */
export class MergedSound {
  #url;
  #header = null;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @param {object[]} units that follow each other @returns {Promise<Int16Array[]>} stereo, 16 kHz
   * @throws {Failure}
   */
  async read(units) {
    this.#header ??= fetchBytes(this.#url, 0, HEADER_BYTES).then(readWavHeader);
    const { dataStart } = await this.#header;
    const [first, last] = [sampleAt(units[0].startMs), sampleAt(units.at(-1).endMs)];
    const bounds = [first, last].map((sample) => dataStart + sample * FRAME_BYTES);
    const samples = toSamples(await fetchBytes(this.#url, ...bounds));
    return units.map((unit) => {
      const from = 2 * (sampleAt(unit.startMs) - first);
      return samples.subarray(from, from + 2 * samplesOf(unit));
    });
  }
}

/** Reads the pieces of each unit; what is missing is silence. */
export class PieceSound {
  #urlOf;

  /** @param {(path: string) => string} urlOf a file of the recording */
  constructor(urlOf) {
    this.#urlOf = urlOf;
  }

  /** As that of MergedSound. */
  read(units) {
    return Promise.all(units.map((unit) => this.#readUnit(unit)));
  }

  async #readUnit(unit) {
    const [speech, ...userSounds] = await Promise.all(
      [unit.aiSound, ...unit.userSounds].map((path) => this.#readPiece(path)),
    );
    return mixUnit(unit, userSounds.filter(Boolean), speech);
  }

  async #readPiece(path) {
    if (path === null) return null;
    try {
      return readWavSamples(await fetchBytes(this.#urlOf(path)));
    } catch (error) {
      if (error.code === 'unreachable') throw error;
      return null;
    }
  }
}

/** @returns {Promise<Uint8Array>} a file, or its bytes from `start` up to `end` */
async function fetchBytes(url, start = 0, end = null) {
  const headers = end === null ? {} : { range: `bytes=${start}-${end - 1}` };
  let response;
  try {
    response = await fetch(url, { headers });
  } catch (error) {
    throw new Failure('unreachable', { cause: error });
  }
  if (!response.ok) throw new Failure('bad_answer', { message: `HTTP ${response.status}` });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return response.status === 206 || end === null ? bytes : bytes.subarray(start, end);
}
