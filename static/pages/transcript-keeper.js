/**
 * Keeps what was said in a call in this browser, where the visitor wants calls to be recorded, so
 * that a page that is closed or reloaded loses nothing of it.
 */

import { linesOfCall } from '../lib/call-lines.js';
import { LastTranscript } from '../state/last-transcript.js';

/**
 * @param {{machine: import('../lib/call-machine.js').CallMachine, view: object, name: string,
 *          tools: import('./call-tools.js').CallTools, shell: object}} parts `view` has the
 *   transcript; `name` of the page
 */
export function keepTranscript({ machine, view, name, tools, shell }) {
  const last = new LastTranscript(name, shell.storage);
  const offer = (there) => document.getElementById('call').toggleAttribute('data-transcript', there);
  const keep = () => {
    const lines = linesOfCall(view.transcript);
    if (lines.length === 0) return;
    offer(true);
    if (tools.recording.values.on) last.keep(lines);
  };
  machine.on('state', ({ state, previous }) => {
    if (state === 'live' && previous === 'preparing') {
      last.forget();
      offer(false);
    } else if (['ended', 'failed'].includes(state)) keep();
  });
  machine.on('turnEnd', keep);
}
