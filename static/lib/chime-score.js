/**
 * The short sounds that tell how a call is going, as notes: what an oscillator has to do and when.
 *
 * A note is {frequencyHz, points, endS}; points are [timeS, gain, curve], where curve says how the
 * gain gets there: 'set' | 'linear' | 'exponential'. Times count from the beginning of the sound.
 */

const [C5, E5, G5, C6, E6] = [523.25, 659.25, 783.99, 1046.5, 1318.51];
const OCTAVE_SHARE = 0.22;
const SILENCE = 0.001; // where an exponential fall ends

const ALARM_STEP_S = 0.086;
const ALARM_PAUSE_S = 0.12;
const ALARM = { attackS: 0.015, decayS: 0.094, sustain: 0.84, releaseS: 0.155 };
const BEGIN_NOTE_S = 0.178;
const BEGIN_STEP_S = BEGIN_NOTE_S - 0.04;
const BEGIN = { attackS: 0.009, decayS: 0.021, sustain: 0.21, releaseS: 0.044 };

/** How often the sound of the one who is next in the queue comes again. */
export const NEXT_PERIOD_S = 2;

/** By when: next in the queue, one's turn, the model listens, the call is over, it broke off. */
const SCORES = {
  next: () => [fallingNote(880, 0, 0.2, 0.18), fallingNote(660, 0.5, 0.2, 0.18)],
  turn: () => [0, 4 * ALARM_STEP_S + ALARM_PAUSE_S].flatMap(alarmRun),
  begin: () => [C6, E6].map((pitch, index) => beginNote(pitch, index, 0.9)),
  end: () => [E6, C6].map((pitch, index) => beginNote(pitch, index, 0.6)),
  error: () => [fallingNote(330, 0, 0.25, 0.3), fallingNote(247, 0.22, 0.4, 0.3)],
};

/** @param {keyof typeof SCORES} name @returns {{notes: object[], lengthS: number}} */
export function chimeScore(name) {
  const notes = SCORES[name]();
  return { notes, lengthS: Math.max(...notes.map(({ endS }) => endS)) };
}

function alarmRun(startS) {
  return [C5, E5, G5, C6].flatMap((pitch, index) => {
    const noteStartS = startS + index * ALARM_STEP_S;
    return [
      shapedNote(pitch, noteStartS, ALARM_STEP_S, 0.85, ALARM),
      shapedNote(2 * pitch, noteStartS, ALARM_STEP_S, 0.85 * OCTAVE_SHARE, ALARM),
    ];
  });
}

function beginNote(frequencyHz, index, gain) {
  return shapedNote(frequencyHz, index * BEGIN_STEP_S, BEGIN_NOTE_S, gain, BEGIN);
}

function fallingNote(frequencyHz, startS, durationS, gain) {
  const endS = startS + durationS;
  return { frequencyHz, endS, points: [[startS, gain, 'set'], [endS, SILENCE, 'exponential']] };
}

/** Rises, falls to its sustained level, and fades from wherever it is when it is let go. */
function shapedNote(frequencyHz, startS, heldS, gain, { attackS, decayS, sustain, releaseS }) {
  const fallenS = Math.min(heldS - attackS, decayS);
  const level = gain * (1 - (1 - sustain) * (fallenS / decayS));
  const [letGoS, endS] = [startS + heldS, startS + heldS + releaseS];
  const points = [
    [startS, 0, 'set'],
    [startS + attackS, gain, 'linear'],
    [Math.min(startS + attackS + fallenS, letGoS), level, 'linear'],
    [letGoS, level, 'linear'],
    [endS, 0, 'linear'],
  ];
  return { frequencyHz, endS, points };
}
