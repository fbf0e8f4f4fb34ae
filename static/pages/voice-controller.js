/** The voice that answers are spoken in: the service's own, or one from a file or a recording. */

import { decodeAudioFile } from '../audio/file-audio.js';
import { t } from '../i18n/index.js';
import { bytesToBase64 } from '../lib/base64.js';
import { asFailure, Failure } from '../lib/failure.js';
import { MAX_VOICE_S, MIN_VOICE_S, SAMPLE_RATE } from '../lib/limits.js';
import { floatsToBytes } from '../lib/pcm.js';
import { encodeWav } from '../lib/wav.js';
import { VoicePicker } from '../ui/voice-picker.js';
import { RecordingController } from './recording-controller.js';

export class VoiceController {
  /** What goes on the wire, base64 of 16 kHz samples; null for the service's own voice. */
  data = null;
  #picker;
  #url = null;
  #lastChoice = 0;

  /** @param {HTMLElement} container @param {{titleKey?: string, helpKey?: string}} [words] */
  constructor(container, { titleKey = 'voice.title', helpKey = 'voice.help' } = {}) {
    const picker = new VoicePicker(container, { titleKey, helpKey });
    const recording = new RecordingController({
      talk: picker,
      container: picker.recording,
      toaster: picker,
      onClip: (samples) => this.#useRecording(samples),
    });
    picker.on('file', (file) => this.#useFile(file));
    picker.on('remove', () => this.#forget());
    container.closest('dialog')?.addEventListener('close', () => {
      if (recording.active) recording.discard();
    });
    picker.show(null);
    this.#picker = picker;
  }

  async #useFile(file) {
    this.#lastChoice += 1;
    const choice = this.#lastChoice;
    try {
      const { samples } = await decodeAudioFile(file);
      if (choice === this.#lastChoice) this.#use(samples, file.name);
    } catch (error) {
      this.#picker.failure(asFailure(error));
    }
  }

  #useRecording(samples) {
    this.#lastChoice += 1;
    try {
      this.#use(samples, t('voice.recording'));
    } catch (error) {
      this.#picker.failure(asFailure(error));
    }
  }

  #use(samples, name) {
    if (samples.length < MIN_VOICE_S * SAMPLE_RATE) {
      throw new Failure('voice_too_short', { params: { name, seconds: MIN_VOICE_S } });
    }
    this.#forget();
    const used = samples.subarray(0, MAX_VOICE_S * SAMPLE_RATE);
    const file = new Blob([encodeWav(used, SAMPLE_RATE)], { type: 'audio/wav' });
    this.data = bytesToBase64(floatsToBytes(used));
    this.#url = URL.createObjectURL(file);
    this.#picker.show({ url: this.#url, name, durationS: used.length / SAMPLE_RATE });
    if (used.length < samples.length) {
      this.#picker.news('voice.shortened', { name, seconds: MAX_VOICE_S });
    }
  }

  #forget() {
    this.#lastChoice += 1;
    URL.revokeObjectURL(this.#url);
    [this.data, this.#url] = [null, null];
    this.#picker.show(null);
  }
}
