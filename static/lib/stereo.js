/** Both sides of a call as stereo sound, the visitor on the left, at 16 kHz; and what it looks like. */

import { SAMPLE_RATE, SPEECH_SAMPLE_RATE } from './limits.js';

const FULL_SCALE = 32768;
const STEP = SPEECH_SAMPLE_RATE / SAMPLE_RATE;

/** @param {{startMs: number, endMs: number}} unit @returns {number} at 16 kHz */
export function samplesOf({ startMs, endMs }) {
  return sampleAt(endMs) - sampleAt(startMs);
}

/** @param {number} timeMs @returns {number} at 16 kHz */
export function sampleAt(timeMs) {
  return Math.round((timeMs * SAMPLE_RATE) / 1000);
}

/**
 * A unit as it lies in the merged replay.
 * @param {object} unit as in replay-units.js
 * @param {Int16Array[]} userSounds at 16 kHz, one after the other
 * @param {?Int16Array} speech at 24 kHz; what was not heard of it is left out
 * @returns {Int16Array} left and right in turn
 */
export function mixUnit(unit, userSounds, speech) {
  const stereo = new Int16Array(2 * samplesOf(unit));
  let at = 0;
  for (const sound of userSounds) {
    for (const sample of sound) {
      if (at < stereo.length) stereo[at] = sample;
      at += 2;
    }
  }
  const heard = speech === null ? 0 : Math.min(sampleAt(unit.aiMs), Math.floor(speech.length / STEP));
  for (let index = 0; index < heard; index += 1) {
    stereo[2 * index + 1] = between(speech, index * STEP);
  }
  return stereo;
}

function between(samples, place) {
  const before = Math.floor(place);
  const after = samples[before + 1] ?? samples[before];
  return samples[before] + (after - samples[before]) * (place - before);
}

/**
 * The loudest sample of each stretch, 0 to 1.
 * @param {Int16Array} stereo @param {number} count of stretches
 * @returns {{user: Float32Array, model: Float32Array}}
 */
export function peaksOf(stereo, count) {
  const [user, model] = [new Float32Array(count), new Float32Array(count)];
  const perPeak = stereo.length / 2 / count;
  for (let index = 0; index < stereo.length / 2; index += 1) {
    const peak = Math.min(count - 1, Math.floor(index / perPeak));
    user[peak] = Math.max(user[peak], Math.abs(stereo[2 * index]) / FULL_SCALE);
    model[peak] = Math.max(model[peak], Math.abs(stereo[2 * index + 1]) / FULL_SCALE);
  }
  return { user, model };
}
