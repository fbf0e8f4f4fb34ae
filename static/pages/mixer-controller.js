/** The mixer: its panel, what it measures, and a try-out while there is no call. */

import { CallInput } from '../audio/call-input.js';
import { Microphone } from '../audio/microphone.js';
import { asFailure } from '../lib/failure.js';
import { ASSUMED_MICROPHONE_LUFS, QUIETEST_MICROPHONE_LUFS } from '../lib/gain-model.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { integratedLoudness } from '../lib/lufs.js';
import { pause } from '../lib/pause.js';
import { joinSamples } from '../lib/pcm.js';
import { encodeWav } from '../lib/wav.js';
import { MixerPanel } from '../ui/mixer-panel.js';

const METER_PERIOD_MS = 50;
const COUNTDOWN_S = 3;
const MEASURED_S = 3;
const UNCHANGED = { file: 1, microphone: 1, monitor: 0 };

export class MixerController {
  #parts;
  #panel = new MixerPanel(document.body);
  #trial = null; // what is heard without a call
  #opening = false;
  #busy = null; // 'measure' | 'preview'
  #url = null;

  /**
   * @param {{mix: object, settings: object, source: import('./call-source.js').CallSource,
   *          call: () => ?object, microphoneId: () => string,
   *          balance: (input: CallInput, sound: object) => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { mix, settings, source } = parts;
    this.#panel.on('file-trim', (decibels) => mix.set('file_trim_db', decibels));
    this.#panel.on('microphone-trim', (decibels) => mix.set('microphone_trim_db', decibels));
    this.#panel.on('monitor', (percent) => settings.set('file_volume', percent));
    this.#panel.on('measure', () => this.#do('measure', () => this.#measure()));
    this.#panel.on('preview', () => this.#preview());
    this.#panel.on('close', () => this.#release());
    for (const store of [mix, settings]) store.on('change', () => this.#show());
    source.on('change', () => {
      if (this.#busy === null) this.#closeTrial(); // another source needs other devices
      this.#opening = false;
      this.#show();
    });
  }

  toggle() {
    if (this.#panel.shown) {
      this.#panel.close();
      return;
    }
    this.#panel.open();
    this.#show();
    this.#follow();
  }

  get #callInput() {
    return this.#parts.call()?.input ?? null;
  }

  #show() {
    const { mix, settings, source } = this.#parts;
    const { file_trim_db, microphone_trim_db, microphone_lufs: measured } = mix.values;
    this.#panel.show({
      'file-trim': file_trim_db,
      'microphone-trim': microphone_trim_db,
      monitor: settings.values.file_volume,
    });
    const { lufs } = source.ready ? source.sound : { lufs: -Infinity };
    if (Number.isFinite(lufs)) this.#panel.fact('file', 'mixer.measured', { lufs: rounded(lufs) });
    else this.#panel.fact('file', source.ready ? 'mixer.silent' : 'mixer.no_file');
    const known = measured !== ASSUMED_MICROPHONE_LUFS;
    this.#panel.fact('microphone', known ? 'mixer.measured' : 'mixer.assumed', { lufs: rounded(measured) });
    this.#showButtons();
  }

  #showButtons() {
    const { source } = this.#parts;
    const calling = this.#callInput !== null;
    const noMicrophone = this.#trial === null || source.picker.kind === 'file';
    const measuring = this.#busy === 'measure';
    const previewing = this.#busy === 'preview';
    this.#panel.button('measure', {
      key: 'mixer.measure',
      disabled: calling || noMicrophone || this.#busy !== null,
    });
    this.#panel.button('preview', {
      key: previewing ? 'mixer.preview_stop' : 'mixer.preview',
      disabled: calling || measuring || !source.ready,
    });
  }

  /** The meters follow the call, or the microphone while there is none. */
  #follow() {
    if (!this.#panel.shown) return;
    const input = this.#callInput;
    if (input !== null && this.#trial !== null) this.#closeTrial();
    if (input === null && this.#trial === null && this.#busy === null) void this.#listen();
    const meters = (input ?? this.#trial)?.meters;
    const nowMs = performance.now();
    for (const [name, meter] of Object.entries(meters ?? {})) {
      this.#panel.meters[name].show(meter.readDecibels(), nowMs);
    }
    this.#showButtons();
    setTimeout(() => this.#follow(), METER_PERIOD_MS);
  }

  async #listen() {
    if (this.#opening || this.#parts.source.picker.kind === 'file') return;
    this.#opening = true; // once: a microphone that was refused is not asked for again and again
    await this.#do(null, async () => {
      await this.#open(null);
      this.#opening = false;
    });
  }

  /** @param {?Float32Array} samples of a file, to be mixed with the microphone if that is wanted */
  async #open(samples) {
    const { source, balance, microphoneId } = this.#parts;
    const { kind } = source.picker;
    const microphone = kind === 'file' ? null : new Microphone();
    const file = samples && { samples, headS: 0, tailS: 0 };
    const input = new CallInput({ microphone, deviceId: microphoneId(), file });
    balance(input, source.ready ? source.sound : { kind: 'both', lufs: -Infinity });
    await input.open();
    if (this.#panel.shown) this.#trial = input;
    else input.close();
    return input;
  }

  async #measure() {
    const input = this.#trial;
    for (let left = COUNTDOWN_S; left > 0; left -= 1) {
      this.#panel.status('mixer.speak_in', { seconds: left });
      await pause(1000);
    }
    if (input !== this.#trial) return; // closed meanwhile
    this.#panel.status('mixer.speak_now');
    input.gains = UNCHANGED;
    const samples = await collect(input, MEASURED_S);
    const lufs = integratedLoudness(samples, SAMPLE_RATE);
    if (input === this.#trial) this.#closeTrial();
    if (lufs < QUIETEST_MICROPHONE_LUFS) {
      this.#panel.status('mixer.too_quiet');
      return;
    }
    this.#parts.mix.set('microphone_trim_db', 0);
    this.#parts.mix.set('microphone_lufs', Math.min(0, lufs));
    this.#panel.status('mixer.measured_now', { lufs: rounded(lufs) });
  }

  #preview() {
    if (this.#busy === 'preview') this.#trial?.emit('ended', {});
    else void this.#do('preview', () => this.#record());
  }

  async #record() {
    const { samples } = this.#parts.source.sound;
    this.#closeTrial();
    this.#offer(null);
    this.#panel.status('mixer.previewing');
    const input = await this.#open(samples);
    const mixed = await collect(input, Infinity);
    if (input === this.#trial) this.#closeTrial();
    this.#panel.status(null);
    if (mixed.length > 0) this.#offer(new Blob([encodeWav(mixed, SAMPLE_RATE)], { type: 'audio/wav' }));
  }

  #offer(blob) {
    URL.revokeObjectURL(this.#url);
    this.#url = blob && URL.createObjectURL(blob);
    this.#panel.offer(this.#url);
  }

  async #do(what, action) {
    if (what !== null) this.#busy = what;
    try {
      await action();
    } catch (error) {
      this.#panel.failure(asFailure(error));
    }
    if (what !== null) this.#busy = null;
    this.#show();
  }

  #closeTrial() {
    this.#trial?.emit('ended', {});
    this.#trial?.close();
    this.#trial = null;
  }

  #release() {
    this.#closeTrial();
    this.#opening = false;
    this.#offer(null);
    this.#panel.status(null);
  }
}

/** @returns {Promise<Float32Array>} what the model would hear, until the end or so many seconds */
function collect(input, seconds) {
  const chunks = [];
  return new Promise((resolve) => {
    input.on('chunk', ({ samples }) => {
      chunks.push(samples);
      if (chunks.length >= seconds) resolve(joinSamples(chunks));
    });
    input.on('ended', () => resolve(joinSamples(chunks)));
    input.start();
  });
}

function rounded(decibels) {
  return Math.round(decibels * 10) / 10;
}
