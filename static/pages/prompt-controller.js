/** The prompt of a call, the voice the model is shown, and the voice it speaks with. */

import { Emitter } from '../lib/emitter.js';
import { VoiceController } from './voice-controller.js';

const wordsOf = (name) => ({ titleKey: `call.${name}_voice`, helpKey: `call.${name}_voice_help` });

/** What a preset is brought into; the same as ContentController. Event: `edit`. */
export class PromptController extends Emitter {
  #settings;
  #shelf;
  #prompt;
  #speech;
  #text; // as it was last brought here or written

  /**
   * @param {{settings: import('../state/settings.js').SettingsStore, promptField: HTMLElement,
   *          speechField: HTMLElement, shelf: import('./voice-shelf.js').VoiceShelf}} parts
   */
  constructor({ settings, promptField, speechField, shelf }) {
    super();
    [this.#settings, this.#shelf] = [settings, shelf];
    this.#text = settings.values.system_prompt;
    this.#prompt = new VoiceController(promptField, { ...wordsOf('prompt'), shelf });
    const speechWords = { ...wordsOf('speech'), baseKey: 'voice.same' };
    this.#speech = new VoiceController(speechField, { ...speechWords, shelf });
    settings.on('change', ({ system_prompt: text }) => this.#write(text));
    for (const voice of [this.#prompt, this.#speech]) {
      voice.on('change', () => {
        this.emit('edit', {});
        void this.#explain();
      });
    }
  }

  /** What a call opens with, in base64; null is the service's own, or the same for the speech. */
  get opening() {
    return { promptVoice: this.#prompt.data, speechVoice: this.#speech.data };
  }

  /** What a preset keeps. */
  get parts() {
    return { system_prompt: this.#settings.values.system_prompt, ref_audio: this.#prompt.voice };
  }

  /** All there is beside the settings, to go on with later. */
  get draft() {
    return { prompt: this.#prompt.voice, speech: this.#speech.voice };
  }

  set draft({ prompt, speech }) {
    this.#prompt.use(prompt);
    this.#speech.use(speech);
  }

  /** The text of a preset; its voice comes later. */
  showText({ system_prompt: text = '' }) {
    this.#text = text;
    this.#settings.set('system_prompt', text);
  }

  /** @param {object[]} voices at most one, {data, name, durationS} */
  showVoices([voice = null]) {
    this.#prompt.use(voice);
    void this.#explain();
  }

  /** The settings have a way of their own back to their defaults. */
  clear() {
    this.#text = this.#settings.values.system_prompt;
    this.draft = { prompt: null, speech: null };
  }

  /** Offers the voices of the server. */
  offerVoices() {
    for (const voice of [this.#prompt, this.#speech]) void voice.offerVoices();
    void this.#explain();
  }

  #write(text) {
    if (text === this.#text) return;
    this.#text = text;
    this.emit('edit', {});
  }

  /** Tells when nobody has said whose voice it is to be. */
  async #explain() {
    const isOpen = this.#prompt.voice === null && this.#speech.voice === null;
    const isMissing = isOpen && !(await this.#shelf.hasDefault());
    this.#speech.base('voice.same', isMissing ? 'voice.reason.missing' : null);
  }
}
