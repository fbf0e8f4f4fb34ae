/** What the turn-based page can do beside asking. Loaded as soon as the page can be used. */

import { t, translator } from '../i18n/index.js';
import { Failure } from '../lib/failure.js';
import { HistoryDb } from '../state/history-db.js';
import { copyText } from '../ui/clipboard.js';
import { setIcon } from '../ui/dom.js';
import { useStylesheet } from '../ui/stylesheet.js';
import { AttachmentController } from './attachment-controller.js';
import { AttachmentKeeper } from './attachment-keeper.js';
import { HistoryController } from './history-controller.js';
import { itemOfSamples } from './message-items.js';
import { RecordingController } from './recording-controller.js';

const WORDS = { en: () => import('../i18n/chat-en.js'), zh: () => import('../i18n/chat-zh.js') };
const STYLES = ['chat-tools', 'markdown', 'sheet'];
const byId = (id) => document.getElementById(id);

export class ChatTools {
  #parts;
  #keeper;
  #recording;
  #panel = null;
  #actions = null;
  #hold = null;
  #voiceMode = false;

  /**
   * @param {{chat: import('./chat-controller.js').ChatController,
   *          composer: import('../ui/composer.js').Composer,
   *          talk: import('../ui/talk-control.js').TalkControl,
   *          speech: import('./speech-on-demand.js').SpeechOnDemand, toaster: object,
   *          tab: import('../state/storage.js').SafeStorage,
   *          send: (items: object[]) => Promise<void>, focusDraft: () => void}} parts
   */
  static async open(parts) {
    await Promise.all([translator.add(WORDS), ...STYLES.map(useStylesheet)]);
    const tools = new ChatTools(parts);
    void tools.history.resume();
    tools.#keeper.resume();
    if (parts.talk.running) parts.talk.emit('start', {}); // was pressed too early to be heard
    return tools;
  }

  constructor(parts) {
    this.#parts = parts;
    const { chat, composer, talk, toaster, tab } = parts;
    this.attachments = new AttachmentController({
      list: byId('attachments'),
      toaster,
      onChange: (state) => {
        composer.setAttachments(state);
        this.#keeper.keep();
      },
    });
    this.#keeper = new AttachmentKeeper({ attachments: this.attachments, tab, toaster });
    this.history = new HistoryController({ chat, db: new HistoryDb(), tab, toaster });
    talk.on('start', () => {
      if (parts.speech.speaking) chat.stop();
    });
    this.#recording = new RecordingController({
      talk,
      container: byId('recording'),
      toaster,
      onClip: (samples) => {
        this.attachments.addRecording(samples);
        parts.focusDraft();
      },
    });
  }

  /** @returns {boolean} whether there was one */
  discardRecording() {
    const { active } = this.#recording;
    if (active) this.#recording.discard();
    return active;
  }

  async openHistory() {
    const { chat, toaster } = this.#parts;
    const panel = await this.#load(import('./history-panel.js'));
    this.#panel ??= panel && new panel.HistoryPanel({ chat, history: this.history, toaster });
    await this.#panel?.open();
  }

  async copyMessage(text) {
    const copied = await copyText(text);
    this.#parts.toaster.news(copied ? 'action.copied' : 'action.not_copied');
  }

  async editMessage(turn, view) {
    (await this.#messageActions())?.edit(turn, view);
  }

  async resendMessage(turn) {
    await (await this.#messageActions())?.resend(turn);
  }

  async removeMessage(turn) {
    await (await this.#messageActions())?.remove(turn);
  }

  /** Between writing and holding a button to talk. */
  async switchVoiceMode() {
    const hold = await this.#holdToTalk();
    if (!hold) return;
    this.#voiceMode = !this.#voiceMode;
    const button = byId('voice-mode');
    button.setAttribute('aria-pressed', String(this.#voiceMode));
    setIcon(button.querySelector('svg'), this.#voiceMode ? 'keyboard' : 'wave');
    if (!this.#voiceMode) hold.leave();
    this.#parts.composer.replaceDraft(this.#voiceMode ? hold.button.element : null);
  }

  /** The page is left. */
  leave() {
    this.discardRecording();
    void this.history.flush();
    this.#hold?.leave();
  }

  async #messageActions() {
    const actions = await this.#load(import('./message-actions.js'));
    this.#actions ??= actions && new actions.MessageActions(this.#parts.chat);
    return this.#actions;
  }

  async #holdToTalk() {
    const { chat, speech, toaster, send } = this.#parts;
    const hold = await this.#load(import('./hold-to-talk.js'));
    this.#hold ??= hold && new hold.HoldToTalk({
      toaster,
      onPress: () => {
        if (chat.answering || speech.speaking) chat.stop();
      },
      onClip: (samples) => send([itemOfSamples(samples, t('recording.name'))]),
    });
    return this.#hold;
  }

  async #load(module) {
    return module.catch((error) => {
      this.#parts.toaster.failure(new Failure('unreachable', { cause: error }));
      return null;
    });
  }
}
