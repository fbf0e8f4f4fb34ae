/** A half-duplex call: joins machine, sound and what is shown. Loaded before the first one begins. */

import { CallInput } from '../audio/call-input.js';
import { Microphone } from '../audio/microphone.js';
import { Player } from '../audio/player.js';
import { HalfDuplexMachine } from '../lib/half-duplex-machine.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { isRunning } from '../lib/session-states.js';
import { HalfDuplexConnection } from '../net/half-duplex-api.js';
import { followQueue, followSettings, openNotices, openStage } from './call-parts.js';
import { HalfDuplexView } from './half-duplex-view.js';
import { WakeLock } from './wake-lock.js';

const CHUNK_SAMPLES = SAMPLE_RATE / 2;

export class HalfDuplexCall {
  #parts;
  #machine;
  #view;
  #input = null;
  #muted = false;
  player;

  /**
   * @param {{shell: object, controls: import('../ui/call-controls.js').CallControls,
   *          settings: object, speakerId: string, onRestart: () => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { settings, speakerId } = parts;
    const player = new Player({ playbackDelayMs: settings.values.playback_delay_ms });
    if (speakerId !== '') void player.useSpeaker(speakerId);
    const connect = () => new HalfDuplexConnection(location);
    const machine = new HalfDuplexMachine({ connect, player });
    [this.player, this.#machine] = [player, machine];
    const stage = openStage();
    const turns = document.getElementById('turns');
    this.#view = new HalfDuplexView({ machine, player, ...stage, turns });
    openNotices({ ...parts, machine, player });
    followQueue(machine);
    followSettings({ settings, player, captions: stage.captions });
    this.#listenToControls();
    this.#followState();
    addEventListener('pagehide', () => machine.stop());
  }

  /** What is heard at the moment; null without a call. */
  get input() {
    return isRunning(this.#machine.state) ? this.#input : null;
  }

  /** Call it in a click. @param {{microphoneId: string, voices: object}} options */
  start({ microphoneId: deviceId, voices }) {
    const { values } = this.#parts.settings;
    const microphone = new Microphone();
    this.#input = new CallInput({ microphone, deviceId, chunkSamples: CHUNK_SAMPLES });
    this.#mute(false);
    this.#view.begin(this.#input);
    void this.#machine.start({
      media: this.#input,
      prepare: {
        record: this.#parts.shell.consent.given,
        systemPrompt: values.system_prompt,
        voice: voices.promptVoice,
        threshold: values.threshold,
        minSilenceMs: values.min_silence_ms,
        maxNewTokens: values.max_new_tokens,
        lengthPenalty: values.length_penalty,
        temperature: values.temperature,
        spoken: values.spoken,
        limitS: values.limit_s,
      },
    });
  }

  #listenToControls() {
    const { controls } = this.#parts;
    const machine = this.#machine;
    for (const name of ['cancel', 'stop']) controls.on(name, () => machine.stop());
    controls.on('stop-answer', () => machine.stopAnswer());
    controls.on('escape', () => (machine.answering ? machine.stopAnswer() : machine.stop()));
    controls.on('mute', () => this.#mute(!this.#muted));
  }

  #followState() {
    const { controls, shell } = this.#parts;
    const wakeLock = new WakeLock();
    this.#machine.on('state', ({ state }) => {
      controls.show(state);
      wakeLock.hold(isRunning(state));
    });
    this.#machine.on('phase', ({ phase }) => {
      controls.answering = phase === 'thinking' || phase === 'answering';
    });
    this.#machine.on('nothing', () => shell.toaster.news('chat.empty_answer'));
  }

  #mute(muted) {
    this.#muted = muted;
    this.#input.muted = muted;
    this.#parts.controls.press('mute', muted);
  }
}
