/**
 * What lies beside a call: recording it on this device, and the mixer. Their panels load when
 * somebody opens them.
 */

import { translator } from '../i18n/index.js';
import { mixGains } from '../lib/gain-model.js';
import { openMixerSettings } from '../state/mixer-settings.js';
import { openRecordingSettings } from '../state/recording-settings.js';
import { useStylesheet } from '../ui/stylesheet.js';

const WORDS = {
  en: () => import('../i18n/studio-en.js'),
  zh: () => import('../i18n/studio-zh.js'),
};
const byId = (id) => document.getElementById(id);

export class CallTools {
  #parts;
  #mixer = null;
  #options = null;
  #url = null; // of the last recording
  #balanced = null; // {input, source} of the call under way, or the last one

  /**
   * @param {{name: string, shell: object, settings: object, call: () => ?object,
   *          source: ?import('./call-source.js').CallSource, microphoneId: () => string}} parts
   *   `name` goes before what is remembered
   */
  constructor(parts) {
    this.#parts = parts;
    const { name, shell, settings, source } = parts;
    this.recording = openRecordingSettings(name, shell.storage);
    this.mix = openMixerSettings(name, shell.storage);
    this.#bindCheckbox(byId('keep'));
    byId('recording-options')?.addEventListener('click', () => this.#openOptions());
    byId('mixer')?.addEventListener('click', () => this.#openMixer());
    source?.picker.on('kind', (kind) => {
      byId('mixer').hidden = kind === 'live';
    });
    for (const store of [this.mix, settings]) store.on('change', () => this.#balance());
    addEventListener('pagehide', () => [this.recording, this.mix].forEach((store) => store.flush()));
  }

  /**
   * File and microphone are as loud as the mixer says, from now on.
   * @param {import('../audio/call-input.js').CallInput} input
   * @param {{kind: string, lufs: number}} source as in call-source.js
   */
  balance(input, source) {
    this.#balanced = { input, source };
    this.#balance();
  }

  /** A file to download. @param {?{blob: Blob, name: string}} file null takes the last one away */
  offer(file) {
    URL.revokeObjectURL(this.#url);
    this.#url = file && URL.createObjectURL(file.blob);
    const link = byId('download');
    link.hidden = file === null;
    link.href = this.#url ?? '';
    link.download = file?.name ?? '';
  }

  /** Back to the defaults. */
  reset() {
    this.recording.reset();
    this.mix.reset();
  }

  #balance() {
    if (this.#balanced === null) return;
    const { input, source } = this.#balanced;
    const { file_trim_db, microphone_trim_db, microphone_lufs } = this.mix.values;
    input.gains = mixGains({
      kind: source.kind,
      fileLufs: source.lufs,
      fileTrimDb: file_trim_db,
      microphoneLufs: microphone_lufs,
      microphoneTrimDb: microphone_trim_db,
      monitorPercent: this.#parts.settings.values.file_volume,
    });
  }

  #bindCheckbox(checkbox) {
    checkbox.addEventListener('change', () => this.recording.set('on', checkbox.checked));
    const show = ({ on }) => {
      checkbox.checked = on;
    };
    this.recording.on('change', show);
    show(this.recording.values);
  }

  async #openOptions() {
    const [{ RecordingOptions }, { videoFormats }] = await Promise.all([
      import('../ui/recording-options.js'),
      import('../record/codec-support.js'),
      dress(),
    ]);
    this.#options ??= new RecordingOptions(document.body, this.recording, videoFormats());
    this.#options.open();
  }

  async #openMixer() {
    const [{ MixerController }] = await Promise.all([import('./mixer-controller.js'), dress()]);
    const balance = (input, sound) => this.balance(input, sound);
    this.#mixer ??= new MixerController({ ...this.#parts, mix: this.mix, balance });
    this.#mixer.toggle();
  }
}

/** Loads the words and the looks of both panels. */
function dress() {
  return Promise.all([translator.add(WORDS), useStylesheet('studio')]);
}
