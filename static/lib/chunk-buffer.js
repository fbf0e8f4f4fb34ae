/** Collects samples of any block length into chunks of one fixed length. */
export class ChunkBuffer {
  #samples;
  #filled = 0;

  /**
   * @param {number} chunkSize samples
   * @param {(chunk: Float32Array) => void} onChunk has to copy what it keeps: the chunk is written
   *   over by the next one
   */
  constructor(chunkSize, onChunk) {
    this.#samples = new Float32Array(chunkSize);
    this.onChunk = onChunk;
  }

  /** @param {Float32Array} block */
  push(block) {
    let offset = 0;
    while (offset < block.length) {
      const count = Math.min(block.length - offset, this.#samples.length - this.#filled);
      this.#samples.set(block.subarray(offset, offset + count), this.#filled);
      this.#filled += count;
      offset += count;
      if (this.#filled === this.#samples.length) this.#complete();
    }
  }

  /** @returns {Float32Array} a copy of what is there, which may be nothing; leaves it empty */
  take() {
    const chunk = this.#samples.slice(0, this.#filled);
    this.#filled = 0;
    return chunk;
  }

  #complete() {
    this.#filled = 0;
    this.onChunk(this.#samples);
  }
}
