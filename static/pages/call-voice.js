/**
 * The visitor's own voice in a call: when it is heard, when it goes to the model, and when it
 * interrupts.
 *
 * Events: `speech` {startMs, endMs} once the visitor has said something, `silent` when nothing has
 * come from the microphone for long, and of lib/barge-in.js `interrupt` and `release`.
 */

import { BargeIn } from '../lib/barge-in.js';
import { Emitter } from '../lib/emitter.js';
import { EnergyVad } from '../lib/energy-vad.js';
import { SilenceWatch } from '../lib/silence-watch.js';
import { TalkGate } from '../lib/talk-gate.js';
import { mayInterrupt } from '../state/comfort-settings.js';

const LOOKBACK_MS = 300; // a gate that speech opens lets its beginning pass, too

export class CallVoice extends Emitter {
  vad = new EnergyVad();
  #parts;
  #gate = new TalkGate();
  #input = null;
  #silence = new SilenceWatch();
  #bargeIn = new BargeIn();
  #interrupts = false;

  /**
   * @param {{player: import('../audio/player.js').Player, comfort: object, storage: object,
   *          talk: import('../ui/talk-modes.js').TalkModes, controls: object,
   *          isHeard: () => boolean, modelSpeaks: () => boolean}} parts `isHeard`: whether what the
   *   visitor says now is for the model
   */
  constructor(parts) {
    super();
    this.#parts = parts;
    const { comfort, talk, controls } = parts;
    const hold = ({ held }) => {
      this.#gate.held = held;
    };
    talk.on('hold', hold);
    controls.on('talk', hold);
    this.#gate.on('change', () => this.#showGate());
    comfort.on('change', () => this.#follow());
  }

  /** Whether the model has been interrupted and is still kept silent. */
  get yielding() {
    return this.#bargeIn.yielding;
  }

  /** Call it before the call begins. @param {import('../audio/call-input.js').CallInput} input */
  begin(input) {
    this.#input = input;
    this.#silence = new SilenceWatch();
    this.vad = new EnergyVad();
    this.vad.on('speech', (spoken) => this.emit('speech', spoken));
    this.#gate.held = false;
    this.#gate.speaking = false;
    this.#bargeIn.release();
    this.#follow();
    input.on('sound', (sound) => this.#hear(sound));
  }

  /** One unit of the service. */
  result(result) {
    this.#bargeIn.result(result);
  }

  /** The interruption is over already. */
  release() {
    this.#bargeIn.release();
  }

  /** Settings hold at once, except while the model is kept silent. */
  #follow() {
    const { comfort, storage, player } = this.#parts;
    const { values } = comfort;
    this.#gate.mode = values.talk_mode;
    this.#showGate();
    if (this.#input === null || this.yielding) return;
    this.#interrupts = mayInterrupt(values, storage) && !this.#input.hasFile;
    player.ducked = false;
    this.#bargeIn = new BargeIn(values.sensitivity);
    this.#bargeIn.on('duck', ({ on }) => {
      player.ducked = on;
    });
    for (const name of ['interrupt', 'release']) this.#bargeIn.on(name, () => this.emit(name, {}));
  }

  #showGate() {
    const { open, mode } = this.#gate;
    this.#parts.talk.open = open;
    if (this.#input === null) return;
    this.#input.gateOpen = open;
    this.#input.delayMs = mode === 'auto' ? LOOKBACK_MS : 0;
  }

  #hear({ samples, endMs }) {
    const { isHeard, modelSpeaks } = this.#parts;
    const { mode, held } = this.#gate;
    const withheld = this.#input.muted || (mode === 'hold' && !held);
    if (!withheld && isHeard()) this.vad.push(samples, endMs);
    else this.vad.finish();
    if (withheld || !this.#interrupts) this.#bargeIn.rest();
    else this.#bargeIn.push(samples, endMs, modelSpeaks());
    this.#gate.speaking = this.vad.speaking;
    if (!withheld && !this.#input.hasFile && this.#silence.push(samples)) this.emit('silent', {});
  }
}
