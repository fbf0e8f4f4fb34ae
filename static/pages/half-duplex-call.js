/** A half-duplex call: joins machine, sound and what is shown. Loaded before the first one begins. */

import { CallInput } from '../audio/call-input.js';
import { Microphone } from '../audio/microphone.js';
import { Player } from '../audio/player.js';
import { HalfDuplexMachine } from '../lib/half-duplex-machine.js';
import { SAMPLE_RATE } from '../lib/limits.js';
import { isRunning } from '../lib/session-states.js';
import { HalfDuplexConnection } from '../net/half-duplex-api.js';
import {
  followQueue,
  followSettings,
  followSharing,
  followSpeaker,
  openNotices,
  openStage,
} from './call-parts.js';
import { CallRecorder } from './call-recorder.js';
import { CallSignals } from './call-signals.js';
import { CallVoice } from './call-voice.js';
import { HalfDuplexView } from './half-duplex-view.js';
import { keepTranscript } from './transcript-keeper.js';
import { WakeLock } from './wake-lock.js';

const CHUNK_SAMPLES = SAMPLE_RATE / 2;

export class HalfDuplexCall {
  #parts;
  #machine;
  #view;
  #voice;
  #signals;
  #recorder;
  #input = null;
  #muted = false;
  player;

  /**
   * @param {{shell: object, controls: import('../ui/call-controls.js').CallControls,
   *          settings: object, comfort: object, talk: import('../ui/talk-modes.js').TalkModes,
   *          name: string, tools: import('./call-tools.js').CallTools, speakerId: string, onRestart: () => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { settings, comfort, speakerId, shell } = parts;
    const player = new Player({ playbackDelayMs: settings.values.playback_delay_ms });
    if (speakerId !== '') void player.useSpeaker(speakerId);
    const connect = () => new HalfDuplexConnection(location);
    const machine = new HalfDuplexMachine({ connect, player });
    [this.player, this.#machine] = [player, machine];
    const stage = openStage();
    this.#voice = new CallVoice({
      ...parts,
      player,
      storage: shell.storage,
      isHeard: () => !machine.answering,
      modelSpeaks: () => machine.answering && player.aheadMs > 0,
    });
    this.#signals = new CallSignals({ machine, player, comfort });
    const [turns, latency] = ['turns', 'latency'].map((id) => document.getElementById(id));
    this.#view = new HalfDuplexView({ machine, player, voice: this.#voice, ...stage, turns, latency });
    this.#recorder = new CallRecorder({ ...parts, machine, player, view: this.#view });
    keepTranscript({ ...parts, machine, view: this.#view });
    openNotices({ ...parts, machine, player, voice: this.#voice });
    const recording = () => this.recording();
    followSharing({ shell, machine, appType: 'half_duplex_audio', recording });
    followQueue(machine);
    followSpeaker({ ...parts, machine, player });
    followSettings({ settings, comfort, player, captions: stage.captions });
    this.#listenToControls();
    this.#followState();
    addEventListener('pagehide', () => machine.stop());
  }

  /** What is heard at the moment; null without a call. */
  get input() {
    return isRunning(this.#machine.state) ? this.#input : null;
  }

  /** What was said in this call, or the last one. */
  get transcript() {
    return this.#view.transcript;
  }

  get figures() {
    return this.#view.figures;
  }

  /** @returns {Promise<?Blob>} what was recorded here of the last call, once it is over */
  recording() {
    return this.#recorder.recording();
  }

  /** Call it in a click. @param {{microphoneId: string, opening: {content: object[]}}} options */
  start({ microphoneId: deviceId, opening }) {
    const { values } = this.#parts.settings;
    const microphone = new Microphone();
    this.#input = new CallInput({ microphone, deviceId, chunkSamples: CHUNK_SAMPLES });
    this.#recorder.follow(this.#input);
    this.#mute(false);
    this.#view.begin(this.#input);
    this.#voice.begin(this.#input);
    void this.#machine.start({
      prelude: () => this.#signals.begin(),
      media: this.#input,
      prepare: {
        record: this.#parts.shell.consent.given,
        content: opening.content,
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
    this.#voice.on('interrupt', () => {
      machine.stopAnswer();
      this.#voice.release();
    });
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
