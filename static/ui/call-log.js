/**
 * The conversation of a call as a log: entries are appended, and the words of the model change from
 * pending to sounding to heard as its voice gets there.
 */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { SentenceFeed } from '../lib/sentences.js';
import { element } from './dom.js';

const NEAR_END_PX = 80;

export class CallLog {
  #parts;
  #transcript = null;
  #views = new Map(); // entry -> {show}
  #moving = new Set(); // entries of the model whose words have not all been heard
  #following = true;
  #sentences = new SentenceFeed();

  /**
   * @param {{log: HTMLElement, scroller: HTMLElement, announcer: HTMLElement,
   *          jump: HTMLButtonElement}} parts `announcer` is a polite live region
   */
  constructor(parts) {
    this.#parts = parts;
    parts.scroller.addEventListener('scroll', () => this.#noticeScroll(), { passive: true });
    parts.jump.addEventListener('click', () => {
      this.#following = true;
      this.#keepUp();
    });
  }

  /** @param {import('../lib/transcript.js').Transcript} transcript of a new call */
  follow(transcript) {
    this.#transcript = transcript;
    this.#parts.log.replaceChildren();
    this.#parts.announcer.replaceChildren();
    this.#views.clear();
    this.#moving.clear();
    transcript.on('add', (entry) => this.#add(entry));
    transcript.on('change', (entry) => this.#change(entry));
  }

  /** @param {number} aheadMs how much of the model's sound has not been played */
  refresh(aheadMs) {
    for (const entry of this.#moving) {
      const progress = this.#transcript.progress(entry, aheadMs);
      this.#announce(this.#views.get(entry)(progress));
      const over = progress.pending === '' && progress.sounding === '';
      if (entry.state === 'interrupted' || (over && entry.state === 'done')) {
        this.#moving.delete(entry);
        this.#say(this.#sentences.finish());
      }
    }
    this.#keepUp();
  }

  #add(entry) {
    const article = element('article', {
      class: `entry ${entry.role}`,
      named: entry.role === 'user' ? 'chat.you' : 'call.model',
    });
    const time = element('span', { class: 'entry-time', text: clockText(entry.startMs / 1000) });
    const name = entry.role === 'user' ? { i18n: 'chat.you' } : { i18n: 'call.model' };
    const words = element('p', { class: 'entry-words' });
    article.append(element('p', { class: 'entry-head' }, element('b', name), time), words);
    this.#parts.log.append(article);
    const show = entry.role === 'user' ? userWords(words) : modelWords(words, article);
    this.#views.set(entry, show);
    this.#change(entry);
    this.#keepUp();
  }

  #change(entry) {
    if (entry.role === 'model') this.#moving.add(entry);
    else this.#views.get(entry)(entry);
  }

  #announce(newlyHeard) {
    if (newlyHeard !== '') this.#say(this.#sentences.push(newlyHeard));
  }

  #say(text) {
    if (text.trim() !== '') this.#parts.announcer.append(element('span', { text: `${text} ` }));
  }

  #keepUp() {
    const { scroller, jump } = this.#parts;
    if (this.#following) scroller.scrollTop = scroller.scrollHeight;
    jump.hidden = this.#following;
  }

  #noticeScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#parts.scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.#parts.jump.hidden = this.#following;
  }
}

function userWords(words) {
  return ({ text, durationMs, turn }) => {
    const seconds = Math.round(durationMs / 100) / 10;
    if (text !== null) words.textContent = text;
    else localize(words, 'call.you_spoke', { seconds, turn });
    words.classList.toggle('quiet', text === null);
  };
}

/** @returns {(progress: object) => string} shows it and tells what has been heard since */
function modelWords(words, article) {
  const spans = ['heard', 'sounding', 'pending'].map((name) => element('span', { class: name }));
  words.append(...spans);
  return ({ heard, sounding, pending, interrupted }) => {
    const [heardSpan] = spans;
    const since = heard.slice(heardSpan.textContent.length);
    [heard, sounding, pending].forEach((text, index) => {
      if (spans[index].textContent !== text) spans[index].textContent = text;
    });
    if (interrupted && !article.dataset.interrupted) {
      article.dataset.interrupted = 'true';
      article.append(element('p', { class: 'entry-note', i18n: 'call.interrupted' }));
    }
    return since;
  };
}
