/** A call: joins machine, sound and what is shown of it. Loaded before the first one begins. */

import { CallInput } from '../audio/call-input.js';
import { Microphone } from '../audio/microphone.js';
import { Player } from '../audio/player.js';
import { SessionMachine } from '../lib/session-machine.js';
import { isRunning } from '../lib/session-states.js';
import { newSessionId } from '../net/call-connection.js';
import { DuplexConnection } from '../net/duplex-api.js';
import { socketUrl } from '../net/socket.js';
import { CallMedia } from './call-media.js';
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
import { CallView } from './call-view.js';
import { CallVoice } from './call-voice.js';
import { keepTranscript } from './transcript-keeper.js';
import { WakeLock } from './wake-lock.js';

const MAX_CONTEXT_TOKENS = 8192;
const byId = (id) => document.getElementById(id);

export class Call {
  #parts;
  #machine;
  #view;
  #voice;
  #signals;
  #recorder;
  #input = null;
  #muted = false;
  #hushed = false;
  #contextLimit = MAX_CONTEXT_TOKENS;
  player;

  /**
   * @param {{shell: object, controls: import('../ui/call-controls.js').CallControls,
   *          settings: object, comfort: object, talk: import('../ui/talk-modes.js').TalkModes,
   *          name: string, tools: import('./call-tools.js').CallTools, prefix: string,
   *          hasVideo: boolean, speakerId: string, onRestart: () => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { settings, comfort, prefix, speakerId, shell } = parts;
    const player = new Player({ playbackDelayMs: settings.values.playback_delay_ms });
    if (speakerId !== '') void player.useSpeaker(speakerId);
    const connect = () =>
      new DuplexConnection(socketUrl(location, `/ws/duplex/${newSessionId(prefix)}`));
    const machine = new SessionMachine({ connect, player });
    [this.player, this.#machine] = [player, machine];
    const stage = openStage();
    this.#voice = new CallVoice({
      ...parts,
      player,
      storage: shell.storage,
      isHeard: () => true,
      modelSpeaks: () => machine.speaking,
    });
    this.#signals = new CallSignals({ machine, player, comfort });
    this.#view = new CallView({
      machine,
      player,
      voice: this.#voice,
      ...stage,
      latency: byId('latency'),
      contextLimit: () => this.#contextLimit,
    });
    this.#recorder = new CallRecorder({ ...parts, machine, player, view: this.#view });
    keepTranscript({ ...parts, machine, view: this.#view });
    openNotices({ ...parts, machine, player, voice: this.#voice });
    const appType = parts.hasVideo ? 'omni_duplex' : 'audio_duplex';
    followSharing({ shell, machine, appType, recording: () => this.recording() });
    followQueue(machine);
    followSpeaker({ ...parts, machine, player });
    followSettings({ settings, comfort, player, captions: stage.captions });
    this.#listenToControls();
    this.#listenToVoice();
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

  /**
   * Call it in a click.
   * @param {{source: {kind: string, samples: ?Float32Array, picture: ?object},
   *          microphoneId: string, opening: object}} options as call-source.js and
   *   prompt-controller.js
   */
  start({ source, microphoneId, opening }) {
    const { values } = this.#parts.settings;
    const slices = () => (this.#parts.settings.values.hd ? 2 : 1);
    const maxSliceNums = this.#parts.hasVideo ? slices : () => null;
    this.#input = openInput(source, microphoneId, values);
    this.#parts.tools.balance(this.#input, source);
    this.#recorder.follow(this.#input);
    this.#mute(false);
    this.#view.begin(this.#input);
    this.#voice.begin(this.#input);
    void this.#machine.start({
      prelude: () => this.#signals.begin(),
      media: new CallMedia(this.#input, source.picture),
      prepare: {
        record: this.#parts.shell.consent.given,
        systemPrompt: values.system_prompt,
        lengthPenalty: values.length_penalty,
        maxSliceNums: maxSliceNums(),
        promptVoice: opening.promptVoice,
        speechVoice: opening.speechVoice,
      },
      contextLimit: values.context_limit,
      maxSliceNums,
    });
  }

  #listenToControls() {
    const { controls } = this.#parts;
    const machine = this.#machine;
    for (const name of ['cancel', 'stop', 'escape']) controls.on(name, () => machine.stop());
    controls.on('pause', () => machine.pause());
    controls.on('resume', () => machine.resume());
    controls.on('mute', () => this.#mute(!this.#muted));
    controls.on('force-listen', () => this.#hush(!this.#hushed));
  }

  /** One who speaks into the model's words silences it, until it has listened. */
  #listenToVoice() {
    const machine = this.#machine;
    machine.on('result', ({ result }) => this.#voice.result(result));
    this.#voice.on('interrupt', () => {
      machine.forceListen = true;
    });
    this.#voice.on('release', () => {
      machine.forceListen = this.#hushed;
    });
  }

  #followState() {
    const wakeLock = new WakeLock();
    this.#machine.on('prepared', ({ window }) => {
      byId('context-field').hidden = window?.mode !== 'off';
      const own = this.#parts.settings.values.context_limit;
      this.#contextLimit = window?.mode === 'off' ? own : (window?.high ?? MAX_CONTEXT_TOKENS);
    });
    this.#machine.on('state', ({ state }) => {
      this.#parts.controls.show(state);
      wakeLock.hold(isRunning(state));
      if (state === 'opening') this.#hush(false);
    });
  }

  #hush(on) {
    this.#hushed = on;
    this.#machine.forceListen = on || this.#voice.yielding;
    this.#parts.controls.press('force-listen', on);
  }

  #mute(muted) {
    this.#muted = muted;
    this.#input.muted = muted;
    this.#parts.controls.press('mute', muted);
  }
}

function openInput({ kind, samples }, deviceId, values) {
  const microphone = kind === 'file' ? null : new Microphone();
  const [headS, tailS] = [values.file_head_s, values.file_tail_s];
  const file = kind === 'live' ? null : { samples, headS, tailS };
  return new CallInput({ microphone, deviceId, file });
}
