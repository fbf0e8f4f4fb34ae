/** From a press on the microphone to a finished clip. */

import { asFailure, Failure } from '../lib/failure.js';
import { MAX_AUDIO_S } from '../lib/limits.js';
import { peakOf } from '../lib/pcm.js';
import { RecordingStrip } from '../ui/recording-strip.js';

const PERMISSION_HINT_MS = 1000;
const SILENCE_PEAK = 1e-4;

export class RecordingController {
  #state = 'idle'; // idle -> opening -> running -> idle
  #recording = null;
  #talk;
  #toaster;
  #strip;
  #onClip;

  /**
   * @param {{talk: import('../ui/talk-control.js').TalkControl, container: HTMLElement,
   *          toaster: object, onClip: (samples: Float32Array) => void}} options
   */
  constructor({ talk, container, toaster, onClip }) {
    [this.#talk, this.#toaster, this.#onClip] = [talk, toaster, onClip];
    const handlers = { onFinish: () => this.#finish(), onDiscard: () => this.discard() };
    this.#strip = new RecordingStrip(container, handlers);
    talk.on('start', () => this.#press());
    talk.on('stop', () => this.#finish());
  }

  get active() {
    return this.#state !== 'idle';
  }

  discard() {
    void this.#recording?.discard();
    this.#end();
  }

  #press() {
    if (this.#state === 'idle') void this.#open();
    else void this.#finish();
  }

  async #open() {
    this.#state = 'opening';
    this.#talk.setActive(true);
    this.#strip.showOpening('recording.opening');
    const showHint = () => this.#strip.showOpening('recording.permission');
    const hint = setTimeout(showHint, PERMISSION_HINT_MS);
    try {
      const microphone = await loadMicrophone();
      const recording = await microphone.record({ onEnded: () => this.#unplugged() });
      if (this.#state === 'opening') this.#run(recording);
      else void recording.discard(); // given up while the browser was asking
    } catch (error) {
      this.#fail(asFailure(error));
    } finally {
      clearTimeout(hint);
    }
  }

  #run(recording) {
    this.#state = 'running';
    this.#recording = recording;
    const stopAtLimit = (elapsedS) => {
      if (elapsedS < MAX_AUDIO_S) return;
      void this.#finish();
      this.#toaster.news('recording.limit');
    };
    this.#strip.showRunning(() => recording.meter.read(), stopAtLimit);
  }

  /** While the microphone is still opening there is nothing to finish yet. */
  async #finish() {
    if (this.#state !== 'running') return;
    const recording = this.#recording;
    this.#end();
    const samples = await recording.stop();
    if (peakOf(samples) > SILENCE_PEAK) this.#onClip(samples);
    else this.#toaster.warn('recording.silent', 'recording.silent_hint');
  }

  #unplugged() {
    void this.#finish();
    this.#toaster.news('recording.unplugged');
  }

  #fail(failure) {
    if (this.#state === 'idle') return;
    this.#end();
    this.#toaster.failure(failure);
  }

  #end() {
    this.#state = 'idle';
    this.#recording = null;
    this.#strip.hide();
    this.#talk.setActive(false);
  }
}

/** With the first recording: most visitors write. @throws {Failure} */
async function loadMicrophone() {
  try {
    const { Microphone } = await import('../audio/microphone.js');
    return new Microphone();
  } catch (error) {
    throw new Failure('unreachable', { cause: error });
  }
}
