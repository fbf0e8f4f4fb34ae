/** Talking by holding a button: what was said is sent when it is released. */

import { WarmMicrophone } from '../audio/warm-microphone.js';
import { asFailure, Failure } from '../lib/failure.js';
import { MAX_AUDIO_S } from '../lib/limits.js';
import { peakOf } from '../lib/pcm.js';
import { HoldButton } from '../ui/hold-button.js';

const VIBRATION_MS = 15;
const SILENCE_PEAK = 1e-4;

export class HoldToTalk {
  button = new HoldButton();
  #microphone;
  #toaster;
  #onPress;
  #onClip;
  #recording = null; // a promise while the button is held
  #limit = null;

  /**
   * @param {{toaster: object, onPress: () => void, onClip: (samples: Float32Array) => void,
   *          microphone?: WarmMicrophone}} options
   */
  constructor({ toaster, onPress, onClip, microphone = new WarmMicrophone() }) {
    [this.#toaster, this.#onPress, this.#onClip] = [toaster, onPress, onClip];
    this.#microphone = microphone;
    this.button.on('press', () => this.#press());
    this.button.on('release', (outcome) => this.#release(outcome));
  }

  /** Gives up what is held and lets go of the microphone. */
  leave() {
    this.button.reset();
    void this.#release('cancel').then(() => this.#microphone.release());
  }

  #press() {
    navigator.vibrate?.(VIBRATION_MS);
    this.#onPress();
    const onEnded = () => this.#recording && this.#fail(new Failure('mic_failed'));
    const recording = this.#microphone.record({ onEnded });
    this.#recording = recording;
    recording.then(
      () => this.#listen(recording),
      (error) => this.#fail(asFailure(error)),
    );
  }

  #listen(recording) {
    if (recording !== this.#recording) return; // released meanwhile
    this.button.listening();
    this.#limit = setTimeout(() => {
      this.button.reset();
      void this.#release('send');
    }, MAX_AUDIO_S * 1000);
  }

  #fail(failure) {
    this.#recording = null;
    clearTimeout(this.#limit);
    this.button.reset();
    this.#microphone.release();
    this.#toaster.failure(failure);
  }

  async #release(outcome) {
    const pending = this.#recording;
    this.#recording = null;
    clearTimeout(this.#limit);
    const recording = await pending?.catch(() => null); // was told already
    if (!recording) return;
    if (outcome === 'send') this.#deliver(await recording.stop());
    else await recording.discard();
    this.#microphone.done();
  }

  #deliver(samples) {
    if (samples.length > 0 && peakOf(samples) > SILENCE_PEAK) this.#onClip(samples);
    else this.#toaster.failure(new Failure('clip_silent'));
  }
}
