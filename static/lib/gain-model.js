/** The numbers of the mixer: how much louder or quieter each sound becomes, and how meters move. */

const TARGET_LUFS = { fileAlone: -28, fileMixed: -33, microphone: -23 };
const CLIP_DB = -1;
const CLIP_LIGHT_MS = 2000;
const PEAK_HOLD_MS = 1500;
const PEAK_FALL_DB_PER_S = 20;

/** What a microphone is taken to deliver until it has been measured. */
export const ASSUMED_MICROPHONE_LUFS = -23;
/** What is quieter than this is no voice. */
export const QUIETEST_MICROPHONE_LUFS = -50;

/**
 * What brings a sound of `measuredLufs` to `targetLufs`; silence stays as it is.
 * @returns {number} linear gain
 */
export function gainFor({ targetLufs, measuredLufs, trimDb }) {
  const changeDb = Number.isFinite(measuredLufs) ? targetLufs - measuredLufs : 0;
  return 10 ** ((changeDb + trimDb) / 20);
}

/**
 * Linear gains of one call.
 * @param {{kind: 'live' | 'file' | 'both', fileLufs: number, microphoneLufs: number,
 *          fileTrimDb: number, microphoneTrimDb: number, monitorPercent: number}} mix
 * @returns {{file: number, microphone: number, monitor: number}} a microphone on its own is left as
 *   it is; `monitor`: how loud the visitor hears the file
 */
export function mixGains({ kind, fileLufs, microphoneLufs, fileTrimDb, microphoneTrimDb, monitorPercent }) {
  const fileTarget = kind === 'both' ? TARGET_LUFS.fileMixed : TARGET_LUFS.fileAlone;
  const microphone = gainFor({
    targetLufs: TARGET_LUFS.microphone,
    measuredLufs: microphoneLufs,
    trimDb: microphoneTrimDb,
  });
  return {
    file: gainFor({ targetLufs: fileTarget, measuredLufs: fileLufs, trimDb: fileTrimDb }),
    microphone: kind === 'both' ? microphone : 1,
    monitor: monitorPercent / 100,
  };
}

/** The highest level of late, which stays a moment and then falls, and a light for what clips. */
export class PeakHold {
  #peakDb = -Infinity;
  #peakMs = 0;
  #clipMs = -Infinity;

  /** @param {number} peakDb loudest sample of the moment, relative to full scale */
  push(peakDb, nowMs) {
    if (peakDb >= this.peakDb(nowMs)) [this.#peakDb, this.#peakMs] = [peakDb, nowMs];
    if (peakDb >= CLIP_DB) this.#clipMs = nowMs;
  }

  peakDb(nowMs) {
    const fallingMs = Math.max(0, nowMs - this.#peakMs - PEAK_HOLD_MS);
    return this.#peakDb - (fallingMs / 1000) * PEAK_FALL_DB_PER_S;
  }

  /** Whether the sound has come close to full scale a moment ago. */
  clipped(nowMs) {
    return nowMs - this.#clipMs < CLIP_LIGHT_MS;
  }
}
