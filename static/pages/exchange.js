/** One question on its way: what has come back so far, and what is told of it below the answer. */

import { HeardText } from '../lib/heard-text.js';
import { newId } from '../lib/ids.js';

const LINE = { time: 0, way: 1, counts: 2 };

export class Exchange {
  id = null; // the transport's
  requestId = newId('chat');
  placeKnown = false;
  started = false;
  #sentMs = performance.now();
  #assignedMs = null;
  #firstMs = null;
  #estimateS = null;
  #pieces = 0;
  #inputTokens = null;
  #heard = new HeardText();

  /** @param {object} turn as in lib/conversation.js @param {object} view of its answer */
  constructor(turn, view) {
    [this.turn, this.view] = [turn, view];
  }

  /** Waiting has begun, or goes on. */
  wait(estimatedWaitS) {
    this.#estimateS ??= estimatedWaitS;
    this.view.progress('chat.waiting');
  }

  assigned() {
    this.#assignedMs ??= performance.now();
    this.view.progress('chat.reading');
  }

  read(inputTokens) {
    this.started = true;
    this.#inputTokens = inputTokens;
    this.view.progress('chat.thinking');
  }

  grow(text) {
    this.started = true;
    this.#firstMs ??= performance.now();
    this.#pieces += 1;
    this.#append(text);
  }

  speak(samples) {
    this.started = true;
    this.#heard.addSound(samples.length);
    (this.turn.soundParts ??= []).push(samples);
  }

  finish({ text, generatedTokens, inputTokens, stopped, warning }) {
    if (this.view.text === '' && text) this.#append(text);
    this.#heard.end();
    const { turn, view } = this;
    turn.state = stopped ? 'stopped' : 'complete';
    turn.facts = this.#facts(inputTokens ?? this.#inputTokens, generatedTokens, warning);
    view.finish(turn);
  }

  fail(failure, remedies) {
    this.turn.state = 'failed';
    this.view.fail(failure, remedies);
  }

  /** The conversation is left; what has come so far is kept. */
  interrupt() {
    this.turn.state = 'interrupted';
  }

  /** What was not heard of a spoken answer is not part of the conversation. */
  cut(playedMs) {
    [this.turn.answer, this.turn.cut] = [this.#heard.upTo(playedMs), true];
  }

  #append(text) {
    const { turn, view } = this;
    view.append(text);
    this.#heard.addText(text);
    if (!turn.cut) turn.answer = view.text;
  }

  #facts(inputTokens, outputTokens, warning) {
    const nowMs = performance.now();
    const [firstMs, waitedMs] = [this.#firstMs, (this.#assignedMs ?? nowMs) - this.#sentMs];
    const waited = this.#estimateS !== null && {
      key: 'chat.waited',
      params: { estimate: Math.round(this.#estimateS), ...seconds(waitedMs) },
    };
    const first = firstMs !== null && 'chat.first_piece';
    return [
      { line: LINE.time, key: 'chat.total', params: seconds(nowMs - this.#sentMs) },
      waited && { line: LINE.way, ...waited },
      first && { line: LINE.way, key: first, params: seconds(firstMs - this.#sentMs) },
      first && { line: LINE.way, key: 'chat.generated', params: seconds(nowMs - firstMs) },
      counted('chat.tokens_in', inputTokens),
      counted('chat.tokens_out', outputTokens),
      first && counted('chat.pieces', this.#pieces),
      { line: LINE.counts, key: 'chat.request', params: { id: this.requestId }, copy: this.requestId },
      warning && { line: LINE.counts, key: 'chat.warning', params: { warning } },
    ].filter(Boolean);
  }
}

function counted(key, count) {
  return Number.isInteger(count) && { line: LINE.counts, key, params: { count } };
}

function seconds(durationMs) {
  return { seconds: Math.round(durationMs / 100) / 10 };
}
