/** From a press on the microphone to a finished clip. */

import { asFailure, Failure } from '../lib/failure.js';
import { MAX_AUDIO_S } from '../lib/limits.js';
import { peakOf } from '../lib/pcm.js';
import { RecordingStrip } from '../ui/recording-strip.js';

const PERMISSION_HINT_MS = 1000;
const SILENCE_PEAK = 1e-4;
const BOUNDS = { minS: 0, maxS: MAX_AUDIO_S, limit: ['recording.limit'] };

export class RecordingController {
  #state = 'idle'; // idle -> opening -> running -> idle
  #recording = null;
  #talk;
  #toaster;
  #strip;
  #onClip;
  #bounds;

  /**
   * @param {{talk: import('../ui/talk-control.js').TalkControl, container: HTMLElement,
   *          toaster: object, onClip: (samples: Float32Array) => void,
   *          bounds?: {minS: number, maxS: number, limit: [string, object?]}}} options
   *   `limit`: what is told when a recording ends because of `maxS`
   */
  constructor({ talk, container, toaster, onClip, bounds = BOUNDS }) {
    [this.#talk, this.#toaster, this.#onClip] = [talk, toaster, onClip];
    this.#bounds = bounds;
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
    const { minS, maxS, limit } = this.#bounds;
    const keepBounds = (elapsedS) => {
      this.#strip.canFinish = elapsedS >= minS;
      if (elapsedS >= maxS) void this.#finish().then(() => this.#toaster.news(...limit));
    };
    this.#strip.showRunning(() => recording.meter.read(), keepBounds);
  }

  /** While the microphone is still opening there is nothing to finish yet. */
  async #finish() {
    if (this.#state !== 'running' || !this.#strip.canFinish) return;
    const recording = this.#recording;
    this.#end();
    const samples = await recording.stop();
    if (peakOf(samples) > SILENCE_PEAK) await this.#onClip(samples);
    else this.#toaster.warn('recording.silent', 'recording.silent_hint');
  }

  #unplugged() {
    this.#strip.canFinish = true;
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
