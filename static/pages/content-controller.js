/** The system content of a page: texts and voices in order, and the voice that answers take. */

import { Emitter } from '../lib/emitter.js';
import { copyItems, filledItems, voiceIn } from '../lib/system-content.js';
import { ContentEditor } from '../ui/content-editor.js';
import { VoiceController } from './voice-controller.js';

const EMPTY = [{ type: 'text', text: '' }];
const ROW_WORDS = {
  titleKey: 'content.voice',
  helpKey: 'content.voice_help',
  baseKey: 'voice.empty',
};

/** What a preset is brought into; the same as PromptController. Event: `edit`. */
export class ContentController extends Emitter {
  #editor;
  #shelf;
  #voices = new Set(); // of rows
  #speech = null;
  #offering = false;

  /**
   * @param {{content: HTMLElement, speechField: ?HTMLElement,
   *          shelf: import('./voice-shelf.js').VoiceShelf}} parts without a `speechField` answers
   *        always take the voice of the content
   */
  constructor({ content, speechField, shelf }) {
    super();
    this.#shelf = shelf;
    this.#editor = new ContentEditor(content, {
      openVoice: (holder, onChange) => this.#openVoice(holder, onChange),
    });
    if (speechField !== null) {
      this.#speech = new VoiceController(speechField, { shelf });
      this.#speech.on('change', () => this.#edited());
    }
    this.#editor.on('change', () => this.#edited());
    this.clear();
  }

  /** What a session opens with. `voice`: base64 of 16 kHz samples, null for the service's own. */
  get opening() {
    const { items } = this.#editor;
    return { content: filledItems(items), voice: this.#speech?.data ?? voiceIn(items).data };
  }

  /** What a preset keeps. */
  get parts() {
    return { system_content: filledItems(this.#editor.items) };
  }

  /** All there is, to go on with later. */
  get draft() {
    return { items: this.#editor.items, speech: this.#speech?.voice ?? null };
  }

  set draft({ items, speech }) {
    this.#editor.items = items;
    this.#speech?.use(speech);
    this.#showSpeech();
  }

  /** The texts of a preset; its voices come later, until then those from before stay. */
  showText({ system_content: content = [] }) {
    const before = this.#editor.items.filter(({ type }) => type === 'audio');
    this.#editor.items = copyItems(content).map((item) => {
      const old = item.type === 'audio' ? before.shift() : undefined;
      return old?.data ? old : item;
    });
    this.#showSpeech();
  }

  /** @param {object[]} voices {data, name, durationS} in their order */
  showVoices(voices) {
    const coming = [...voices];
    this.#editor.items = this.#editor.items.map((item) =>
      item.type === 'audio' && coming.length > 0 ? { type: 'audio', ...coming.shift() } : item,
    );
    this.#showSpeech();
  }

  clear() {
    this.draft = { items: EMPTY, speech: null };
  }

  /** Offers the voices of the server, also in rows to come. */
  offerVoices() {
    this.#offering = true;
    for (const voice of [...this.#voices, this.#speech]) void voice?.offerVoices();
  }

  #openVoice(holder, onChange) {
    holder.id = `content-voice-${crypto.randomUUID()}`;
    const voice = new VoiceController(holder, { ...ROW_WORDS, shelf: this.#shelf });
    voice.on('change', (chosen) => onChange(chosen ?? { data: null, name: '', durationS: 0 }));
    this.#voices.add(voice);
    if (this.#offering) void voice.offerVoices();
    const close = () => {
      voice.close();
      this.#voices.delete(voice);
    };
    return { show: (item) => voice.use(item), close };
  }

  #edited() {
    this.#showSpeech();
    this.emit('edit', {});
  }

  /** Says whose voice answers take while none is chosen for them. */
  #showSpeech() {
    const { reason } = voiceIn(this.#editor.items);
    if (reason === null) this.#speech?.base('voice.of_content');
    else this.#speech?.base('voice.default', `voice.reason.${reason}`);
  }
}
