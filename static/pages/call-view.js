/** Shows a call as it goes: light and words, log, captions, and how long everything takes. */

import { LevelMeter } from '../audio/levels.js';
import { CallFigures } from '../lib/call-figures.js';
import { LatencyStats } from '../lib/latency-stats.js';
import { isBusy } from '../lib/session-states.js';
import { Transcript } from '../lib/transcript.js';
import { showLatency } from './call-parts.js';
import { figuresOf } from './figures-of-call.js';

const TEXT_PERIOD_MS = 100;
const THINKING_LIMIT_MS = 4000;
const URGENT_S = 10;
const BEHIND_MS = 8000; // sound that waits; nothing of it is dropped
const MODES = {
  idle: 'idle',
  opening: 'connecting',
  connecting: 'connecting',
  queued: 'queued',
  assigned: 'connecting',
  preparing: 'connecting',
  pausing: 'paused',
  paused: 'paused',
  stopping: 'ended',
  ended: 'ended',
  failed: 'ended',
};

export class CallView {
  figures = new CallFigures();
  #stats = new LatencyStats();
  #parts;
  #transcript = new Transcript();
  #input = null;
  #output = null;
  #pauseEndsMs = null;
  #textDueMs = 0;

  /**
   * @param {{machine: import('../lib/session-machine.js').SessionMachine, player: object,
   *          voice: import('./call-voice.js').CallVoice, display: object, log: object,
   *          captions: object, latency: HTMLElement, contextLimit: () => number}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { machine, player } = parts;
    machine.on('state', ({ state }) => this.#enter(state));
    machine.on('retry', () => parts.display.show('connecting', 'call.state.reconnecting'));
    machine.on('turnStart', () => this.#transcript.beginTurn(machine.elapsedMs));
    machine.on('turnText', (piece) => this.#transcript.addSpeech(piece));
    machine.on('turnEnd', ({ reason }) => this.#transcript.endTurn(reason === 'interrupted'));
    machine.on('cut', ({ aheadMs }) => this.#transcript.cut(aheadMs));
    machine.on('userText', ({ text }) => this.#transcript.userText(text, machine.elapsedMs));
    machine.on('result', ({ result, roundTripMs }) => {
      this.#stats.unit(result, { receivedMs: Date.now(), roundTripMs });
      this.#record();
    });
    machine.on('paused', ({ timeoutS }) => {
      this.#pauseEndsMs = performance.now() + timeoutS * 1000;
    });
    player.on('start', () => this.#answered());
    parts.voice.on('speech', ({ startMs, endMs }) => {
      const offsetMs = machine.elapsedMs - performance.now();
      this.#transcript.userSpoke({ startMs: startMs + offsetMs, endMs: endMs + offsetMs });
    });
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
    showLatency(this.#parts.latency, null);
  }

  /** There is no latency where the visitor is still speaking. */
  #answered() {
    const { vad } = this.#parts.voice;
    this.#stats.answered(performance.now(), vad.loud ? null : vad.lastSpeechMs);
    showLatency(this.#parts.latency, this.#stats.responseMs);
    this.#record();
  }

  #record() {
    const { machine, player, contextLimit } = this.#parts;
    const parts = { machine, player, input: this.#input, stats: this.#stats };
    this.figures.record(figuresOf({ ...parts, contextLimit: contextLimit() }));
  }

  #enter(state) {
    const { display } = this.#parts;
    if (state !== 'live') display.show(MODES[state], `call.state.${state}`);
    if (state === 'opening') requestAnimationFrame(() => this.#paint());
  }

  /** Only painting waits for frames, which hidden tabs do not get. */
  #paint() {
    const { machine } = this.#parts;
    if (!isBusy(machine.state)) {
      this.#rest();
      return;
    }
    const nowMs = performance.now();
    if (nowMs >= this.#textDueMs) {
      this.#textDueMs = nowMs + TEXT_PERIOD_MS;
      this.#paintTexts(nowMs);
    }
    if (['live', 'pausing'].includes(machine.state)) this.#paintSound();
    requestAnimationFrame(() => this.#paint());
  }

  /** The call is over: what was said stays, what moved lies still. */
  #rest() {
    const { display, captions } = this.#parts;
    this.#paintTexts(performance.now());
    display.rest();
    captions.clear();
  }

  #paintSound() {
    const meter = this.#input.meter;
    this.#output ??= new LevelMeter(this.#parts.player.analyser);
    const input = meter.read();
    const loudest = this.#parts.player.aheadMs > 0 ? this.#output.read() : input;
    this.#parts.display.draw({ input, loudest, analyser: meter.analyser });
  }

  #paintTexts(nowMs) {
    const { machine, player, display, log, captions } = this.#parts;
    const { aheadMs } = player;
    const started = ['live', 'pausing', 'paused', 'stopping', 'ended'].includes(machine.state);
    display.time(started ? machine.elapsedMs : null);
    if (machine.state === 'live') this.#showMode(this.#liveMode(nowMs));
    else if (machine.state === 'paused') this.#showPause(nowMs);
    log.refresh(aheadMs);
    const entry = this.#transcript.sounding(aheadMs);
    const progress = entry && this.#transcript.progress(entry, aheadMs);
    captions.show(progress, machine.speaking, nowMs);
  }

  #showMode(mode) {
    const { display, player } = this.#parts;
    const isBehind = mode === 'speaking' && player.aheadMs > BEHIND_MS;
    display.show(mode, isBehind ? 'call.state.behind' : undefined);
  }

  #liveMode(nowMs) {
    const { machine } = this.#parts;
    if (machine.speaking) return 'speaking';
    const { lastSpeechMs, speaking } = this.#parts.voice.vad;
    const waiting = lastSpeechMs !== null && nowMs - lastSpeechMs < THINKING_LIMIT_MS;
    return waiting && !speaking && !machine.forceListen ? 'thinking' : 'listening';
  }

  #showPause(nowMs) {
    const seconds = Math.max(0, Math.ceil((this.#pauseEndsMs - nowMs) / 1000));
    const key = seconds > URGENT_S ? 'call.state.paused_for' : 'call.state.paused_soon';
    this.#parts.display.show('paused', key, { seconds });
  }
}
