/** One voice: nothing of its own, one from the server, a file or a recording. */

import { decodeAudioFile } from '../audio/file-audio.js';
import { t } from '../i18n/index.js';
import { base64ToBytes, bytesToBase64 } from '../lib/base64.js';
import { Emitter } from '../lib/emitter.js';
import { asFailure, Failure } from '../lib/failure.js';
import { MAX_VOICE_S, MIN_RECORDED_VOICE_S, MIN_VOICE_S, SAMPLE_RATE } from '../lib/limits.js';
import { bytesToFloats, floatsToBytes } from '../lib/pcm.js';
import { encodeWav } from '../lib/wav.js';
import { VoicePicker } from '../ui/voice-picker.js';
import { RecordingController } from './recording-controller.js';
import { DEFAULT_VOICE, VoiceShelf } from './voice-shelf.js';

const RECORDING_BOUNDS = {
  minS: MIN_RECORDED_VOICE_S,
  maxS: MAX_VOICE_S,
  limit: ['voice.limit', { seconds: MAX_VOICE_S }],
};

/** Event: `change` with the voice, {data, name, durationS}, or null. */
export class VoiceController extends Emitter {
  /** {data, name, durationS}, or null for none of its own; `data` is base64 of 16 kHz samples. */
  voice = null;
  #picker;
  #shelf;
  #recording;
  #baseKey;
  #urls = [];
  #stored = null; // the voices on the server, once they are offered
  #lastChoice = 0;

  /**
   * @param {HTMLElement} container
   * @param {{titleKey?: string, helpKey?: string, baseKey?: string, shelf?: VoiceShelf}} [options]
   *        `baseKey`: the words for what holds while nothing is chosen
   */
  constructor(container, options = {}) {
    super();
    const { titleKey = 'voice.title', helpKey = 'voice.help', baseKey = 'voice.default' } = options;
    const picker = new VoicePicker(container, { titleKey, helpKey });
    [this.#picker, this.#baseKey, this.#shelf] = [picker, baseKey, options.shelf ?? new VoiceShelf()];
    this.#recording = new RecordingController({
      talk: picker,
      container: picker.recording,
      toaster: picker,
      bounds: RECORDING_BOUNDS,
      onClip: (samples) => this.#choose(async () => this.#cropped(samples, t('voice.recording'))),
    });
    picker.on('file', (file) => this.#choose(() => this.#decoded(file)));
    picker.on('source', (id) => this.#chooseSource(id));
    picker.on('listen', () => this.#listen());
    picker.on('remove', () => this.#set(null));
    container.closest('dialog')?.addEventListener('close', () => this.close());
    this.#show();
  }

  /** What goes on the wire; null for none of its own. */
  get data() {
    return this.voice?.data ?? null;
  }

  /** Takes over a voice that somebody else has chosen. @param {?object} voice as above */
  use(voice) {
    this.#lastChoice += 1;
    this.voice = voice?.data ? voice : null;
    this.#show();
  }

  /** @param {string} key the words for what holds while nothing is chosen @param {?string} reason */
  base(key, reason = null) {
    const isNew = key !== this.#baseKey;
    this.#baseKey = key;
    this.#picker.explain(this.voice === null ? reason : null);
    if (isNew && this.#stored !== null) this.#offer();
    if (isNew && this.voice === null) this.#show();
  }

  /** Offers what lies on the server. */
  async offerVoices() {
    this.#stored = await this.#shelf.list();
    this.#offer();
  }

  /** Gives up a recording that runs. */
  close() {
    if (this.#recording.active) this.#recording.discard();
  }

  #offer() {
    const own = { id: DEFAULT_VOICE, key: 'voice.default' };
    this.#picker.offer(this.#baseKey === 'voice.default' ? this.#stored : [own, ...this.#stored]);
  }

  #chooseSource(id) {
    this.#picker.showLoading();
    return this.#choose(async () => ({ ...(await this.#shelf.load(id)), sourceId: id }));
  }

  /** Only the last choice counts; when it fails, the voice stays. */
  async #choose(load) {
    this.#lastChoice += 1;
    const choice = this.#lastChoice;
    try {
      const voice = await load();
      if (choice !== this.#lastChoice) return;
      this.#set(voice);
      if (voice.isCropped) {
        this.#picker.news('voice.shortened', { name: voice.name, seconds: MAX_VOICE_S });
      }
    } catch (error) {
      if (choice !== this.#lastChoice) return;
      this.#show();
      this.#picker.failure(asFailure(error));
    }
  }

  async #decoded(file) {
    const { samples } = await decodeAudioFile(file);
    return this.#cropped(samples, file.name);
  }

  #cropped(samples, name) {
    if (samples.length < MIN_VOICE_S * SAMPLE_RATE) {
      throw new Failure('voice_too_short', { params: { name, seconds: MIN_VOICE_S } });
    }
    const used = samples.subarray(0, MAX_VOICE_S * SAMPLE_RATE);
    const data = bytesToBase64(floatsToBytes(used));
    const durationS = used.length / SAMPLE_RATE;
    return { data, name, durationS, isCropped: used.length < samples.length };
  }

  async #listen() {
    this.#picker.showLoading();
    const choice = this.#lastChoice;
    try {
      const voice = await this.#shelf.load(DEFAULT_VOICE);
      if (choice !== this.#lastChoice) return;
      this.#show();
      this.#picker.play(this.#playable(voice));
    } catch (error) {
      this.#show();
      this.#picker.failure(asFailure(error));
    }
  }

  #set(voice) {
    this.use(voice);
    this.emit('change', this.voice);
  }

  #show() {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
    const { voice } = this;
    if (voice !== null) this.#picker.explain(null);
    this.#picker.show(voice && this.#playable(voice), this.#baseKey, this.#baseKey === 'voice.default');
  }

  #playable({ data, name, sourceId = null }) {
    const samples = bytesToFloats(base64ToBytes(data));
    const file = new Blob([encodeWav(samples, SAMPLE_RATE)], { type: 'audio/wav' });
    const url = URL.createObjectURL(file);
    this.#urls.push(url);
    return { url, name, durationS: samples.length / SAMPLE_RATE, sourceId };
  }
}
