/**
 * A half-duplex call: the visitor speaks until the service hears a pause, then the model answers,
 * and is not disturbed. Nothing is sent while it does.
 *
 * A live call goes through these phases, again and again:
 *   listening  the service hears what the microphone hears
 *   hearing    it has noticed that the visitor speaks
 *   thinking   it has heard enough; the model has not answered yet
 *   answering  the answer comes, or sounds still
 *   resting    silence before listening, so that the room does not answer for the visitor
 *
 * Events beside those of call-machine.js:
 *   chunk     {}                       something has been sent
 *   phase     {phase}
 *   userTurn  {turn, startMs, endMs}   the visitor has said something that is answered now
 *   truncated {text}                   so much of the last answer is part of the conversation
 *   nothing   {}                       the model had nothing to say
 */

import { CallMachine } from './call-machine.js';

const ECHO_MS = 800;
const SILENCE_POLL_MS = 100;
const STOP_RETRY_MS = 300;
const RESULT = { text: '', samples: null, endOfTurn: false, skipped: false };

export class HalfDuplexMachine extends CallMachine {
  /** Whether the model has the word. */
  get answering() {
    return ['thinking', 'answering', 'resting'].includes(this.#phase);
  }

  /** Ends the answer, and not the call. */
  stopAnswer() {
    const { call } = this;
    if (!['thinking', 'answering'].includes(this.#phase)) return;
    if (call.answerDone) {
      call.speech.interrupt();
      this.#rest();
    } else {
      this.#silenceOpenAnswer();
      this.#enterPhase('resting');
      void this.#stopOnServer();
    }
  }

  opening() {
    const turns = { turn: 0, answered: 0, answerDone: true }; // `answered`: the last with words
    return { phase: null, spokeMs: 0, ...turns, counts: { turns: 0 } };
  }

  handlers() {
    const whenLive = (handle) => (event) => {
      if (this.state === 'live') handle(event);
    };
    return {
      hearing: whenLive(({ speaking }) => this.#hear(speaking)),
      generating: whenLive(({ speechMs }) => this.#think(speechMs)),
      chunk: whenLive((chunk) => this.#answer(chunk)),
      turnDone: whenLive(({ audioEpoch, warning }) => {
        if (warning) this.emit('note', { text: warning });
        if (this.#phase === 'thinking') this.emit('nothing', {});
        this.#finishTurn(audioEpoch);
      }),
      truncated: whenLive(({ text }) => {
        if (this.call.answered === this.call.turn) this.emit('truncated', { text });
      }),
    };
  }

  begun() {
    this.#enterPhase('listening');
  }

  /** The service owes something only while it answers. */
  heard() {
    const { watch, answerDone } = this.call;
    if (answerDone) watch.rest();
    else if (this.state === 'live') watch.heard();
  }

  sendChunk({ samples }) {
    const { connection, watch, counts } = this.call;
    if (!this.#isListening) return;
    watch.backlog(connection.bufferedBytes);
    counts.chunks += 1;
    connection.sendChunk(samples);
    this.emit('chunk', {});
  }

  /** An answer that failed is over. */
  refused(failure) {
    this.warn(failure);
    if (!this.call.answerDone) this.#finishTurn(this.call.speech.epoch);
  }

  get #phase() {
    return this.state === 'live' ? this.call.phase : null;
  }

  get #isListening() {
    return ['listening', 'hearing'].includes(this.#phase);
  }

  #enterPhase(phase) {
    if (phase === this.call.phase) return;
    this.call.phase = phase;
    this.emit('phase', { phase });
  }

  #hear(speaking) {
    if (!this.#isListening) return;
    if (speaking) this.call.spokeMs = this.elapsedMs;
    this.#enterPhase(speaking ? 'hearing' : 'listening');
  }

  #think(speechMs) {
    const { call } = this;
    call.turn += 1;
    call.counts.turns = call.turn;
    call.answerDone = false;
    const { turn, spokeMs: startMs } = call;
    this.emit('userTurn', { turn, startMs, endMs: startMs + speechMs });
    this.#enterPhase('thinking');
  }

  #answer({ text, samples, audioEpoch }) {
    if (text === '' && samples === null) return;
    if (this.#phase === 'thinking') {
      this.call.answered = this.call.turn;
      this.#enterPhase('answering');
    }
    this.call.speech.handle({ ...RESULT, isListen: false, text, samples, audioEpoch });
  }

  #finishTurn(audioEpoch) {
    this.call.answerDone = true;
    this.call.speech.handle({ ...RESULT, isListen: true, audioEpoch });
    this.#awaitSilence();
  }

  #awaitSilence() {
    if (this.player.aheadMs === 0) this.#rest();
    else this.after(SILENCE_POLL_MS, () => this.#awaitSilence());
  }

  #rest() {
    this.#enterPhase('resting');
    this.after(ECHO_MS, () => {
      this.call.media.restart();
      this.#enterPhase('listening');
    });
  }

  /** What was cut is reported by itself; here nothing may sound yet, or at the moment. */
  #silenceOpenAnswer() {
    const { speech, connection } = this.call;
    const cuts = this.player.aheadMs > 0;
    const playedMs = speech.open ? Math.round(this.player.playedMs) : 0;
    speech.forceListen();
    if (!cuts) connection.reportPlayback({ audioEpoch: speech.epoch, playedMs });
  }

  /** The service may have begun to answer and not yet be able to stop. */
  async #stopOnServer() {
    const { call } = this;
    const over = () => call !== this.call || this.state !== 'live' || call.answerDone;
    try {
      if (await call.connection.stopAnswer()) return;
    } catch (failure) {
      if (!over()) this.warn(failure);
      return;
    }
    if (!over()) this.after(STOP_RETRY_MS, () => this.#stopOnServer());
  }
}
