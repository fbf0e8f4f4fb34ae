/** The conversation as a log: messages are appended, and the view follows the newest. */

import { SentenceFeed } from '../lib/sentences.js';
import { AnswerView } from './answer-view.js';
import { element } from './dom.js';
import { QuestionView } from './question-view.js';

const NEAR_END_PX = 80;

export class TranscriptView {
  #log;
  #scroller;
  #announcer;
  #jump;
  #following = true;
  #sentences = new SentenceFeed();

  /**
   * @param {{log: HTMLElement, scroller: HTMLElement, announcer: HTMLElement,
   *          jump: HTMLButtonElement}} elements `announcer` is a polite live region
   */
  constructor({ log, scroller, announcer, jump }) {
    [this.#log, this.#scroller] = [log, scroller];
    [this.#announcer, this.#jump] = [announcer, jump];
    scroller.addEventListener('scroll', () => this.#noticeScroll(), { passive: true });
    jump.addEventListener('click', () => this.follow());
    const sizes = new ResizeObserver(() => this.#keepUp()); // pictures grow when they have come
    for (const part of [scroller, log]) sizes.observe(part);
  }

  /**
   * @param {object[]} items as in lib/conversation.js @param {object} actions see QuestionView
   * @returns {QuestionView}
   */
  addQuestion(items, actions) {
    const question = new QuestionView(items, actions);
    this.#log.append(question.element);
    this.follow();
    return question;
  }

  /** @returns {AnswerView} */
  addAnswer(actions) {
    const answer = new AnswerView(actions);
    this.#log.append(answer.element);
    this.#sentences.finish();
    this.#announcer.replaceChildren();
    this.follow();
    return answer;
  }

  /** Call after an answer has changed. @param {string} delta what screen readers should hear */
  answerGrew(delta) {
    this.#announce(this.#sentences.push(delta));
    this.#keepUp();
  }

  /** @param {string} closing said after the last sentence */
  answerEnded(closing) {
    this.#announce(`${this.#sentences.finish()} ${closing}`);
    this.#keepUp();
  }

  follow() {
    this.#following = true;
    this.#keepUp();
  }

  clear() {
    this.#log.replaceChildren();
    this.#announcer.replaceChildren();
    this.follow();
  }

  #announce(text) {
    if (text.trim() !== '') this.#announcer.append(element('span', { text: `${text} ` }));
  }

  #keepUp() {
    const target = this.#log.childElementCount > 0 ? this.#scroller.scrollHeight : 0;
    if (this.#following) this.#scroller.scrollTop = target;
    this.#jump.hidden = this.#following;
  }

  #noticeScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.#jump.hidden = this.#following;
  }
}
