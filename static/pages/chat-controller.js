/** Sends messages, and brings what comes back into the conversation and onto the page. */

import { t } from '../i18n/index.js';
import { estimateChatEta } from '../lib/chat-eta-estimator.js';
import { Conversation } from '../lib/conversation.js';
import { CountdownTimer } from '../lib/countdown-timer.js';
import { Emitter } from '../lib/emitter.js';
import { buildChatRequest } from '../lib/request-builder.js';
import { audioPill } from '../ui/audio-pill.js';
import { Exchange } from './exchange.js';

/**
 * Events: `answering` (boolean), `shown` (the conversation that took the place of another), and
 * `changed` (a conversation, which may have been left meanwhile).
 */
export class ChatController extends Emitter {
  #conversation = new Conversation();
  #exchange = null; // what is under way
  #spoken = null; // the exchange that sounds, or did last
  #left = null; // what was under way in a conversation that was left: {id, turn, conversation}
  #views = new Map(); // turn -> {question, answer}
  #countdown;
  #parts;

  /**
   * @param {{transport: object, transcript: object, queueBanner: object, poller: object,
   *          settings: object, consent: import('../state/consent.js').RecordingConsent,
   *          speech: import('./speech-on-demand.js').SpeechOnDemand,
   *          persona: {opening: {content: object[], voice: ?string}},
   *          actions: {copy: (text: string) => void, edit: (turn: object, view: object) => void,
   *                    resend: (turn: object) => void, remove: (turn: object) => void},
   *          remedies: Record<string, {key: string, run: () => void}>}} parts
   *        `actions`: what can be done with a message
   */
  constructor(parts) {
    super();
    this.#parts = parts;
    this.#countdown = new CountdownTimer((state) => parts.queueBanner.show(state));
    this.#follow('retry', () => this.#retry());
    this.#follow('queue', (event) => this.#wait(event));
    this.#follow('ready', () => this.#assigned());
    this.#follow('prefill', (event) => this.#read(event));
    this.#follow('delta', (event) => this.#grow(event.text));
    this.#follow('audio', (event) => this.#speak(event.samples));
    this.#follow('done', (event) => this.#finish(event));
    this.#follow('error', (event) => this.#fail(event.failure));
    parts.transport.on('done', (event) => this.#landLate(event));
    parts.poller.on('status', (status) => this.#estimateWait(status));
  }

  get answering() {
    return this.#exchange !== null;
  }

  get empty() {
    return this.#conversation.empty;
  }

  get conversation() {
    return this.#conversation;
  }

  /** @param {object[]} items */
  send(items) {
    const playedMs = this.#silence();
    if (this.answering) {
      this.#parts.transport.stop(playedMs);
      if (this.answering) this.#finish({ stopped: true, text: null }); // its counts come too late
    }
    const turn = this.#conversation.ask(items);
    this.#showQuestion(turn);
    this.#request(turn);
  }

  /** Asks for the answer of a turn again; what came after it goes. */
  askAgain(turn = this.#conversation.last) {
    if (this.answering || this.empty) return;
    this.#silence();
    const later = this.#conversation.turns.slice(this.#conversation.turns.indexOf(turn) + 1);
    this.#views.get(turn).answer.element.remove();
    later.forEach((other) => this.#forgetViews(other));
    this.#request(this.#conversation.askAgain(turn));
  }

  /** @param {object} turn @param {object[]} items what it says from now on */
  edit(turn, items) {
    this.#conversation.edit(turn, items);
    this.#views.get(turn).question.show(turn.items);
    this.#changed();
  }

  /** Takes a question and its answer out of the conversation. */
  remove(turn) {
    if (this.answering) return;
    this.#silence();
    this.#conversation.remove(turn);
    this.#forgetViews(turn);
    this.#changed();
    if (this.empty) this.emit('shown', this.#conversation);
  }

  /** Puts another conversation in the place of this one. */
  show(conversation) {
    this.#leave();
    this.#conversation = conversation;
    this.#views.clear();
    this.#parts.transcript.clear();
    for (const turn of conversation.turns) this.#showTurn(turn);
    this.emit('shown', conversation);
  }

  /** Silences at once, and ends what is under way. */
  stop() {
    this.#parts.transport.stop(this.#silence());
  }

  /** Resumes a countdown that a hidden tab has slowed down. */
  resync() {
    this.#countdown.resync();
  }

  /** What is being answered stops; what still comes of it belongs to its own conversation. */
  #leave() {
    const exchange = this.#exchange;
    const playedMs = this.#silence();
    if (exchange !== null) {
      exchange.interrupt();
      this.#left = { id: exchange.id, turn: exchange.turn, conversation: this.#conversation };
      this.#endExchange();
    }
    this.#parts.transport.stop(playedMs);
    this.#parts.speech.release();
    this.#spoken = null;
    for (const { items, sound } of this.#conversation.turns) {
      for (const { url } of [...items, sound ?? {}]) URL.revokeObjectURL(url);
    }
  }

  #landLate({ id, text }) {
    if (id !== this.#left?.id) return;
    const { turn, conversation } = this.#left;
    this.#left = null;
    if (!text || turn.cut) return;
    turn.answer = text;
    this.emit('changed', conversation);
  }

  #silence() {
    const playedMs = this.#parts.speech.stop();
    if (playedMs !== null && this.#spoken !== null) this.#spoken.cut(playedMs);
    return playedMs;
  }

  #showQuestion(turn) {
    const { transcript, actions } = this.#parts;
    const question = transcript.addQuestion(turn.items, {
      onCopy: (text) => actions.copy(text),
      onEdit: () => actions.edit(turn, question),
      onResend: () => actions.resend(turn),
      onRemove: () => actions.remove(turn),
    });
    this.#views.set(turn, { question, answer: null });
  }

  #showAnswer(turn) {
    const { transcript, actions } = this.#parts;
    const onRegenerate = () => this.askAgain(turn);
    const answer = transcript.addAnswer({ onCopy: (text) => actions.copy(text), onRegenerate });
    this.#views.get(turn).answer = answer;
    return answer;
  }

  /** A turn of a conversation that was kept. */
  #showTurn(turn) {
    this.#showQuestion(turn);
    const view = this.#showAnswer(turn);
    view.append(turn.answer);
    view.finish(turn);
    if (turn.sound) view.showSound(audioPill(turn.sound));
  }

  #forgetViews(turn) {
    const { question, answer } = this.#views.get(turn);
    question.element.remove();
    answer?.element.remove();
    this.#views.delete(turn);
  }

  #request(turn) {
    const { transport, settings, consent, speech, persona } = this.#parts;
    const view = this.#showAnswer(turn);
    const exchange = new Exchange(turn, view);
    view.progress('chat.sending');
    if (settings.values.speak) speech.begin(view);
    const turns = this.#conversation.turnsForRequest();
    const options = { ...persona.opening, record: consent.given };
    const request = buildChatRequest(turns, settings.values, options);
    exchange.id = transport.send(request, exchange.requestId);
    [this.#exchange, this.#spoken] = [exchange, exchange];
    this.emit('answering', true);
    this.#changed();
  }

  /** Hears what belongs to the exchange that is under way. */
  #follow(name, handle) {
    this.#parts.transport.on(name, (event) => {
      if (event.id === this.#exchange?.id) handle(event);
    });
  }

  #retry() {
    this.#stopWaiting();
    this.#exchange.view.progress('chat.retrying');
  }

  #wait({ position, estimatedWaitS, queueLength }) {
    this.#exchange.placeKnown = true;
    this.#exchange.wait(estimatedWaitS);
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
    const estimateS = estimateChatEta(status);
    exchange.wait(estimateS);
    this.#countdown.update(estimateS, null, status.queue_length);
  }

  #assigned() {
    this.#stopWaiting();
    this.#exchange.assigned();
  }

  #read({ inputTokens }) {
    this.#stopWaiting();
    this.#exchange.read(inputTokens);
  }

  #grow(text) {
    this.#stopWaiting();
    this.#exchange.grow(text);
    this.#parts.transcript.answerGrew(text);
    this.#changed();
  }

  #speak(samples) {
    this.#stopWaiting();
    this.#exchange.speak(samples);
    this.#parts.speech.hear(samples);
  }

  #finish(done) {
    const exchange = this.#exchange;
    const whole = exchange.view.text === '' && done.text;
    exchange.finish(done);
    if (whole) this.#parts.transcript.answerGrew(whole);
    this.#parts.speech.end();
    this.#endExchange();
    this.#parts.transcript.answerEnded(t(done.stopped ? 'chat.stopped' : 'chat.answer_done'));
  }

  #fail(failure) {
    const { turn } = this.#exchange;
    this.#exchange.fail(failure, {
      retry: { key: 'action.retry', run: () => this.askAgain(turn) },
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
    this.#changed();
    this.emit('answering', false);
  }

  #changed() {
    this.emit('changed', this.#conversation);
  }
}
