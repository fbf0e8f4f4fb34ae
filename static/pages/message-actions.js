/** What can be done with a message that was sent. Loaded when it is done first. */

import { confirmInDialog } from '../ui/dialog.js';
import { questionEditor } from '../ui/question-editor.js';

export class MessageActions {
  #chat;

  /** @param {import('./chat-controller.js').ChatController} chat */
  constructor(chat) {
    this.#chat = chat;
  }

  /** @param {object} turn @param {import('../ui/question-view.js').QuestionView} view */
  edit(turn, view) {
    if (this.#chat.answering) return;
    const close = view.edit(questionEditor(turn.items, (edited) => {
      close();
      if (edited !== null) void this.#save(turn, edited);
    }));
  }

  /** Asks again from here; what came later goes, but not unasked. */
  async resend(turn) {
    const { turns } = this.#chat.conversation;
    const question = {
      titleKey: 'message.resend_question',
      textKey: 'message.resend_text',
      confirmKey: 'message.resend_confirm',
    };
    if (turn !== turns.at(-1) && !(await confirmInDialog(question))) return;
    this.#chat.askAgain(turn);
  }

  async remove(turn) {
    const question = {
      titleKey: 'message.remove_question',
      textKey: 'message.remove_text',
      confirmKey: 'history.remove_confirm',
    };
    if (await confirmInDialog(question)) this.#chat.remove(turn);
  }

  async #save(turn, { items, resend }) {
    this.#chat.edit(turn, items);
    if (resend) await this.resend(turn);
  }
}
