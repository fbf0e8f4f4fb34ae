/** Sends messages, and brings what comes back into the conversation and onto the page. */

import { t } from '../i18n/index.js';
import { estimateChatEta } from '../lib/chat-eta-estimator.js';
import { Conversation } from '../lib/conversation.js';
import { CountdownTimer } from '../lib/countdown-timer.js';
import { Emitter } from '../lib/emitter.js';
import { HeardText } from '../lib/heard-text.js';
import { buildChatRequest } from '../lib/request-builder.js';

/** Events: `answering` (boolean), `cleared`. */
export class ChatController extends Emitter {
  #conversation = new Conversation();
  #exchange = null; // what is under way: {id, turn, view, sentMs, firstMs, inputTokens, ...}
  #lastView = null;
  #heard = new HeardText(); // of the last answer
  #countdown;
  #parts;

  /**
   * @param {{transport: object, transcript: object, queueBanner: object, poller: object,
   *          settings: object, consent: import('../state/consent.js').RecordingConsent,
   *          speech: import('./speech-on-demand.js').SpeechOnDemand,
   *          onCopy: (text: string) => void,
   *          remedies: Record<string, {key: string, run: () => void}>}} parts
   */
  constructor(parts) {
    super();
    this.#parts = parts;
    this.#countdown = new CountdownTimer((state) => parts.queueBanner.show(state));
    const { transport, poller } = parts;
    transport.on('queue', (event) => this.#withExchange(event, () => this.#wait(event)));
    transport.on('ready', (event) => this.#withExchange(event, () => this.#assigned()));
    transport.on('prefill', (event) => this.#withExchange(event, () => this.#read(event)));
    transport.on('delta', (event) => this.#withExchange(event, () => this.#grow(event.text)));
    transport.on('audio', (event) => this.#withExchange(event, () => this.#speak(event.samples)));
    transport.on('done', (event) => this.#withExchange(event, () => this.#finish(event)));
    transport.on('error', (event) => this.#withExchange(event, () => this.#fail(event.failure)));
    poller.on('status', (status) => this.#estimateWait(status));
  }

  get answering() {
    return this.#exchange !== null;
  }

  get empty() {
    return this.#conversation.empty;
  }

  /** @param {object[]} items */
  send(items) {
    this.#silence();
    const turn = this.#conversation.ask(items);
    this.#parts.transcript.addQuestion(turn.items);
    this.#request(turn);
  }

  /** Asks for the last answer again. */
  askAgain() {
    if (this.answering || this.empty) return;
    this.#silence();
    this.#lastView.element.remove();
    this.#request(this.#conversation.askAgain());
  }

  /** Silences at once, and ends what is under way. */
  stop() {
    this.#parts.transport.stop(this.#silence());
  }

  /** What was not heard of a spoken answer is not part of the conversation. */
  #silence() {
    const playedMs = this.#parts.speech.stop();
    const turn = this.#conversation.last;
    if (playedMs !== null && turn !== null) {
      [turn.answer, turn.cut] = [this.#heard.upTo(playedMs), true];
    }
    return playedMs;
  }

  /** Resumes a countdown that a hidden tab has slowed down. */
  resync() {
    this.#countdown.resync();
  }

  clear() {
    this.stop();
    this.#endExchange();
    this.#conversation.clear();
    this.#parts.transcript.clear();
    this.#parts.speech.release();
    this.emit('cleared');
  }

  #request(turn) {
    const { transcript, transport, settings, consent, speech, onCopy } = this.#parts;
    const view = transcript.addAnswer({ onCopy, onRegenerate: () => this.askAgain() });
    view.progress('chat.sending');
    this.#lastView = view;
    this.#heard = new HeardText();
    if (settings.values.speak) speech.begin(view);
    const turns = this.#conversation.turnsForRequest();
    const options = { voice: speech.voice, record: consent.given };
    const id = transport.send(buildChatRequest(turns, settings.values, options));
    this.#exchange = { id, turn, view, sentMs: performance.now(), firstMs: null };
    this.emit('answering', true);
  }

  #withExchange({ id }, handle) {
    if (id === this.#exchange?.id) handle();
  }

  #wait({ position, estimatedWaitS, queueLength }) {
    this.#exchange.placeKnown = true;
    this.#exchange.view.progress('chat.waiting');
    if (estimatedWaitS !== null) this.#countdown.update(estimatedWaitS, position, queueLength);
    else this.#showPlaceOnly(position, queueLength);
  }

  #showPlaceOnly(position, queueLength) {
    this.#countdown.stop();
    this.#parts.queueBanner.show({ remaining: null, position, queueLength });
  }

  /** For gateways that say nothing themselves: several wait, and we have heard nothing yet. */
  #estimateWait(status) {
    const exchange = this.#exchange;
    if (exchange === null || exchange.placeKnown || exchange.started) return;
    if (status.idle_workers > 0 || !status.queue_length) return;
    exchange.view.progress('chat.waiting');
    this.#countdown.update(estimateChatEta(status), null, status.queue_length);
  }

  #assigned() {
    this.#stopWaiting();
    this.#exchange.view.progress('chat.reading');
  }

  #read({ inputTokens }) {
    this.#stopWaiting();
    Object.assign(this.#exchange, { started: true, inputTokens });
    this.#exchange.view.progress('chat.thinking');
  }

  #grow(text) {
    const { view } = this.#exchange;
    this.#stopWaiting();
    this.#exchange.started = true;
    this.#exchange.firstMs ??= performance.now();
    view.append(text);
    this.#heard.addText(text);
    this.#parts.transcript.answerGrew(text);
  }

  #speak(samples) {
    this.#stopWaiting();
    this.#exchange.started = true;
    this.#heard.addSound(samples.length);
    this.#parts.speech.hear(samples);
  }

  #finish({ text, generatedTokens, inputTokens, stopped, warning }) {
    const { turn, view, sentMs, firstMs } = this.#exchange;
    if (view.text === '' && text) {
      view.append(text);
      this.#heard.addText(text);
      this.#parts.transcript.answerGrew(text);
    }
    this.#heard.end();
    const facts = [
      firstMs !== null && { key: 'chat.first_piece', params: seconds(firstMs - sentMs) },
      { key: 'chat.total', params: seconds(performance.now() - sentMs) },
      ...tokenFacts(inputTokens ?? this.#exchange.inputTokens, generatedTokens),
      warning && { key: 'chat.warning', params: { warning } },
    ].filter(Boolean);
    view.finish({ stopped, facts });
    if (!turn.cut) turn.answer = view.text;
    this.#parts.speech.end();
    this.#endExchange();
    this.#parts.transcript.answerEnded(t(stopped ? 'chat.stopped' : 'chat.answer_done'));
  }

  #fail(failure) {
    const { turn, view } = this.#exchange;
    turn.answer = view.text;
    view.fail(failure, {
      retry: { key: 'action.retry', run: () => this.askAgain() },
      ...this.#parts.remedies,
    });
    this.#parts.speech.end();
    this.#endExchange();
    this.#parts.transcript.answerEnded('');
  }

  #stopWaiting() {
    this.#countdown.stop();
    this.#parts.queueBanner.hide();
  }

  #endExchange() {
    this.#exchange = null;
    this.#stopWaiting();
    this.emit('answering', false);
  }
}

function seconds(durationMs) {
  return { seconds: Math.round(durationMs / 100) / 10 };
}

function tokenFacts(inputTokens, outputTokens) {
  const counts = [
    ['chat.tokens_in', inputTokens],
    ['chat.tokens_out', outputTokens],
  ];
  return counts
    .filter(([, count]) => Number.isInteger(count))
    .map(([key, count]) => ({ key, params: { count } }));
}
