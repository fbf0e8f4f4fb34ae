/** The states of a call, and which may follow which. */

const TRANSITIONS = {
  idle: ['opening'],
  opening: ['connecting', 'idle', 'failed'], // devices: permission may take long
  connecting: ['queued', 'assigned', 'idle', 'failed'],
  queued: ['connecting', 'assigned', 'idle', 'failed'],
  assigned: ['preparing'],
  preparing: ['live', 'idle', 'failed'],
  live: ['pausing', 'stopping', 'ended'],
  pausing: ['paused', 'stopping', 'ended'],
  paused: ['live', 'stopping', 'ended'],
  stopping: ['ended'],
  ended: ['idle'],
  failed: ['idle'],
};

/** @param {string} state @param {string} next @throws {Error} when it may not follow */
export function checkTransition(state, next) {
  if (!TRANSITIONS[state].includes(next)) throw new Error(`A call goes not from ${state} to ${next}`);
}

/** Before the model hears anything: stopping here is giving up. */
export function isStarting(state) {
  return ['opening', 'connecting', 'queued', 'assigned', 'preparing'].includes(state);
}

export function isRunning(state) {
  return ['live', 'pausing', 'paused'].includes(state);
}

/** Whether a new call has to wait for the end of this one. */
export function isBusy(state) {
  return isStarting(state) || isRunning(state) || state === 'stopping';
}
