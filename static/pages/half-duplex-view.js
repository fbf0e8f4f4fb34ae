/** Shows a half-duplex call as it goes: whose turn it is, the log, captions, and the time left. */

import { LevelMeter } from '../audio/levels.js';
import { localize } from '../i18n/index.js';
import { CallFigures } from '../lib/call-figures.js';
import { LatencyStats } from '../lib/latency-stats.js';
import { isBusy } from '../lib/session-states.js';
import { Transcript } from '../lib/transcript.js';
import { showLatency } from './call-parts.js';
import { figuresOf } from './figures-of-call.js';

const TEXT_PERIOD_MS = 100;
const STATE_LIGHTS = {
  idle: 'idle',
  opening: 'connecting',
  connecting: 'connecting',
  queued: 'queued',
  assigned: 'connecting',
  preparing: 'connecting',
  stopping: 'ended',
  ended: 'ended',
  failed: 'ended',
};
const PHASE_LIGHTS = {
  listening: 'listening',
  hearing: 'hearing',
  thinking: 'thinking',
  answering: 'speaking',
  resting: 'idle',
};

export class HalfDuplexView {
  figures = new CallFigures();
  #stats = new LatencyStats();
  #parts;
  #transcript = new Transcript();
  #input = null;
  #output = null;
  #limitMs = 0;
  #spokenMs = 0;
  #textDueMs = 0;

  /**
   * @param {{machine: import('../lib/half-duplex-machine.js').HalfDuplexMachine, player: object,
   *          voice: import('./call-voice.js').CallVoice, display: object, log: object,
   *          captions: object, turns: HTMLElement, latency: HTMLElement}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { machine } = parts;
    machine.on('state', ({ state }) => this.#enter(state));
    machine.on('retry', () => parts.display.show('connecting', 'call.state.reconnecting'));
    machine.on('queue', ({ position }) => {
      parts.display.show('queued', 'call.state.queued_at', { position });
    });
    machine.on('prepared', ({ timeoutS }) => {
      this.#limitMs = timeoutS * 1000;
    });
    machine.on('phase', ({ phase }) => this.#enterPhase(phase));
    machine.on('userTurn', (spoken) => this.#userTurn(spoken));
    machine.on('turnStart', () => this.#transcript.beginTurn(machine.elapsedMs));
    machine.on('turnText', (piece) => this.#transcript.addSpeech(piece));
    machine.on('turnEnd', ({ reason }) => this.#transcript.endTurn(reason === 'interrupted'));
    machine.on('cut', ({ aheadMs }) => this.#transcript.cut(aheadMs));
    machine.on('truncated', ({ text }) => this.#transcript.keep(text));
    machine.on('end', (event) => this.#tellEnd(event));
    machine.on('chunk', () => this.#record());
    parts.player.on('start', () => this.#answered());
  }

  /** What was said in the call under way, or in the last one. */
  get transcript() {
    return this.#transcript;
  }

  /** Call it before the machine starts. @param {import('../audio/call-input.js').CallInput} input */
  begin(input) {
    this.#input = input;
    [this.#stats, this.figures] = [new LatencyStats(), new CallFigures()];
    this.#transcript = new Transcript();
    this.#parts.log.follow(this.#transcript);
    this.#countTurns(0);
    showLatency(this.#parts.latency, null);
  }

  #answered() {
    this.#stats.answered(performance.now(), this.#parts.voice.vad.lastSpeechMs);
    showLatency(this.#parts.latency, this.#stats.responseMs);
    this.#record();
  }

  #record() {
    const { machine, player } = this.#parts;
    this.figures.record(figuresOf({ machine, player, input: this.#input, stats: this.#stats }));
  }

  #enter(state) {
    if (state !== 'live') this.#parts.display.show(STATE_LIGHTS[state], `call.state.${state}`);
    if (state === 'opening') requestAnimationFrame(() => this.#paint());
  }

  #enterPhase(phase) {
    const seconds = Math.round(this.#spokenMs / 100) / 10;
    const params = phase === 'thinking' ? { seconds } : {};
    this.#parts.display.show(PHASE_LIGHTS[phase], `call.state.${phase}`, params);
  }

  #userTurn(spoken) {
    this.#transcript.userSpoke(spoken);
    this.#spokenMs = spoken.endMs - spoken.startMs;
    this.#countTurns(spoken.turn);
  }

  #countTurns(count) {
    const { turns } = this.#parts;
    localize(turns, 'call.turns', { count });
    turns.hidden = count === 0;
  }

  #tellEnd({ failure }) {
    if (failure === null) return;
    const { machine, display } = this.#parts;
    const isLimit = ['session_timeout', 'idle_timeout'].includes(failure.code);
    if (isLimit) display.show('ended', 'call.state.timeout');
    else if (machine.state === 'ended') display.show('ended', 'call.state.broken');
  }

  /** Only painting waits for frames, which hidden tabs do not get. */
  #paint() {
    const { machine, display, captions } = this.#parts;
    const nowMs = performance.now();
    const busy = isBusy(machine.state);
    if (!busy || nowMs >= this.#textDueMs) {
      this.#textDueMs = nowMs + TEXT_PERIOD_MS;
      this.#paintTexts(nowMs);
    }
    if (!busy) {
      display.rest();
      captions.clear();
      return;
    }
    if (machine.state === 'live') this.#paintSound();
    requestAnimationFrame(() => this.#paint());
  }

  /** The microphone shows no level while nobody listens to it. */
  #paintSound() {
    this.#output ??= new LevelMeter(this.#parts.player.analyser);
    const meter = this.#parts.machine.answering ? this.#output : this.#input.meter;
    const loudest = meter.read();
    const input = meter === this.#output ? 0 : loudest;
    this.#parts.display.draw({ input, loudest, analyser: meter.analyser });
  }

  #paintTexts(nowMs) {
    const { machine, player, display, log, captions } = this.#parts;
    const { aheadMs } = player;
    const leftMs = Math.max(0, this.#limitMs - machine.elapsedMs);
    display.time(machine.state === 'live' ? leftMs : null);
    log.refresh(aheadMs);
    const entry = this.#transcript.sounding(aheadMs);
    const progress = entry && this.#transcript.progress(entry, aheadMs);
    captions.show(progress, machine.speaking, nowMs);
  }
}
