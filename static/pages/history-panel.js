/** The drawer of conversations at work. Loaded when it is opened first. */

import { t } from '../i18n/index.js';
import { base64ToBytes } from '../lib/base64.js';
import { Conversation } from '../lib/conversation.js';
import { fromJson, toJson, toMarkdown, toMsgpack } from '../lib/export.js';
import { asFailure } from '../lib/failure.js';
import { confirmInDialog } from '../ui/dialog.js';
import { HistoryDrawer } from '../ui/history-drawer.js';
import { saveFile } from '../ui/save-file.js';
import { useStylesheet } from '../ui/stylesheet.js';
import { bytesOfItem, itemOfBytes } from './message-items.js';

const KINDS = {
  markdown: { extension: 'md', mime: 'text/markdown' },
  json: { extension: 'json', mime: 'application/json' },
  msgpack: { extension: 'msgpack', mime: 'application/vnd.msgpack' },
};
const UNSAFE_IN_NAMES = /[\s\\/:*?"<>|\p{Cc}]+/gu;

export class HistoryPanel {
  #drawer = new HistoryDrawer();
  #chat;
  #history;
  #toaster;

  /**
   * @param {{chat: import('./chat-controller.js').ChatController,
   *          history: import('./history-controller.js').HistoryController, toaster: object}} parts
   */
  constructor({ chat, history, toaster }) {
    [this.#chat, this.#history, this.#toaster] = [chat, history, toaster];
    const drawer = this.#drawer;
    drawer.on('open', (id) => this.#leave(() => history.open(id)));
    drawer.on('new', () => this.#leave(() => chat.show(new Conversation())));
    drawer.on('remove', (id) => this.#ask('history.remove_question', () => history.remove(id)));
    drawer.on('clear', () => this.#ask('history.clear_question', () => history.clear()));
    drawer.on('export', (format) => this.#export(format));
    drawer.on('load', (file) => this.#load(file));
  }

  async open() {
    const [records] = await Promise.all([this.#history.list(), useStylesheet('history')]);
    this.#drawer.offerExport(!this.#chat.empty);
    this.#drawer.show(records, this.#chat.conversation.id);
  }

  async #leave(act) {
    await act();
    this.#drawer.close();
  }

  async #ask(titleKey, act) {
    const question = { titleKey, textKey: 'history.remove_text', confirmKey: 'history.remove_confirm' };
    if (!(await confirmInDialog(question))) return;
    await act();
    await this.open();
  }

  #export(format) {
    const { conversation } = this.#chat;
    const { extension, mime } = KINDS[format];
    const file = new Blob([written(conversation, format)], { type: mime });
    saveFile(file, `${fileName(conversation.title)}.${extension}`);
  }

  async #load(file) {
    try {
      const itemOf = (facts, data) => itemOfBytes(facts, base64ToBytes(data));
      this.#chat.show(fromJson(await file.text(), itemOf));
      this.#history.keep(this.#chat.conversation);
      this.#drawer.close();
    } catch (error) {
      this.#drawer.close(); // what lies below a dialog cannot be read
      this.#toaster.failure(asFailure(error));
    }
  }
}

function written(conversation, format) {
  if (format === 'json') return toJson(conversation);
  if (format === 'msgpack') return toMsgpack(conversation, bytesOfItem);
  return toMarkdown(conversation, { you: t('chat.you'), model: 'MiniCPM-o' });
}

function fileName(title) {
  return title.replaceAll(UNSAFE_IN_NAMES, ' ').trim() || 'conversation';
}
