/**
 * The conversation of a call as a log: entries are appended, and the words of the model change from
 * pending to sounding to heard as its voice gets there.
 *
 * However long the call is, the page holds the newest entries only, and a page of earlier ones
 * whenever somebody scrolls up to where they begin. All of them are in the transcript.
 */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { SentenceFeed } from '../lib/sentences.js';
import { element } from './dom.js';

const NEAR_END_PX = 80;
const SHOWN_ENTRIES = 100;
const RECALLED_ENTRIES = 50; // at a time
const ANNOUNCED_SENTENCES = 20; // screen readers have been told long before these are over

export class CallLog {
  #parts;
  #transcript = null;
  #views = new Map(); // entry -> {article, show}, of those on the page
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
      this.#announce(this.#views.get(entry).show(progress));
      const over = progress.pending === '' && progress.sounding === '';
      if (entry.state === 'interrupted' || (over && entry.state === 'done')) {
        this.#moving.delete(entry);
        this.#say(this.#sentences.finish());
      }
    }
    this.#keepUp();
  }

  #add(entry) {
    this.#parts.log.append(this.#viewOf(entry).article);
    this.#change(entry);
    this.#keepUp();
  }

  #change(entry) {
    if (!this.#views.has(entry)) return;
    if (entry.role === 'model') this.#moving.add(entry);
    else this.#views.get(entry).show(entry);
  }

  #announce(newlyHeard) {
    if (newlyHeard !== '') this.#say(this.#sentences.push(newlyHeard));
  }

  #say(text) {
    const { announcer } = this.#parts;
    if (text.trim() === '') return;
    announcer.append(element('span', { text: `${text} ` }));
    if (announcer.childElementCount > ANNOUNCED_SENTENCES) announcer.firstElementChild.remove();
  }

  /** Which entry is the first on the page: those there are the newest ones. */
  get #first() {
    return this.#transcript.entries.length - this.#views.size;
  }

  #keepUp() {
    const { scroller, jump } = this.#parts;
    jump.hidden = this.#following;
    if (!this.#following) return;
    this.#forget();
    scroller.scrollTop = scroller.scrollHeight;
  }

  /** Nobody looks at the oldest entries while the newest is followed. */
  #forget() {
    while (this.#views.size > SHOWN_ENTRIES) {
      const entry = this.#transcript.entries[this.#first];
      if (this.#moving.has(entry)) return;
      this.#views.get(entry).article.remove();
      this.#views.delete(entry);
    }
  }

  /** What is seen stays where it is. */
  #recall() {
    const { log, scroller } = this.#parts;
    const belowPx = scroller.scrollHeight - scroller.scrollTop;
    const from = Math.max(0, this.#first - RECALLED_ENTRIES);
    const entries = this.#transcript.entries.slice(from, this.#first);
    log.prepend(...entries.map((entry) => this.#asLeft(entry).article));
    scroller.scrollTop = scroller.scrollHeight - belowPx;
  }

  /** A new view of an entry, which is from now on the page's. */
  #viewOf(entry) {
    const view = entryView(entry);
    this.#views.set(entry, view);
    return view;
  }

  #asLeft(entry) {
    const view = this.#viewOf(entry);
    view.show(entry.role === 'model' ? this.#transcript.progress(entry, 0) : entry);
    return view;
  }

  #noticeScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#parts.scroller;
    this.#following = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.#parts.jump.hidden = this.#following;
    if (!this.#following && scrollTop < NEAR_END_PX && this.#first > 0) this.#recall();
  }
}

function entryView({ role, startMs }) {
  const i18n = role === 'user' ? 'chat.you' : 'call.model';
  const article = element('article', { class: `entry ${role}`, named: i18n });
  const time = element('span', { class: 'entry-time', text: clockText(startMs / 1000) });
  const words = element('p', { class: 'entry-words' });
  article.append(element('p', { class: 'entry-head' }, element('b', { i18n }), time), words);
  return { article, show: role === 'user' ? userWords(words) : modelWords(words, article) };
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
