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
import { followQueue, followSettings, openNotices, openStage } from './call-parts.js';
import { CallView } from './call-view.js';
import { WakeLock } from './wake-lock.js';

const byId = (id) => document.getElementById(id);

export class Call {
  #parts;
  #machine;
  #view;
  #input = null;
  #muted = false;
  player;

  /**
   * @param {{shell: object, controls: import('../ui/call-controls.js').CallControls,
   *          settings: object, prefix: string, hasVideo: boolean, speakerId: string,
   *          onRestart: () => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { settings, prefix, speakerId } = parts;
    const player = new Player({ playbackDelayMs: settings.values.playback_delay_ms });
    if (speakerId !== '') void player.useSpeaker(speakerId);
    const connect = () =>
      new DuplexConnection(socketUrl(location, `/ws/duplex/${newSessionId(prefix)}`));
    const machine = new SessionMachine({ connect, player });
    [this.player, this.#machine] = [player, machine];
    const stage = openStage();
    this.#view = new CallView({ machine, player, ...stage, latency: byId('latency') });
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

  get stats() {
    return this.#view.stats;
  }

  /**
   * Call it in a click.
   * @param {{source: {kind: string, samples: ?Float32Array, picture: ?object},
   *          microphoneId: string, voices: object}} options as call-source.js and call-panels.js
   */
  start({ source, microphoneId, voices }) {
    const { values } = this.#parts.settings;
    const slices = () => (this.#parts.settings.values.hd ? 2 : 1);
    const maxSliceNums = this.#parts.hasVideo ? slices : () => null;
    this.#input = openInput(source, microphoneId, values);
    this.#mute(false);
    this.#view.begin(this.#input);
    void this.#machine.start({
      media: new CallMedia(this.#input, source.picture),
      prepare: {
        record: this.#parts.shell.consent.given,
        systemPrompt: values.system_prompt,
        lengthPenalty: values.length_penalty,
        maxSliceNums: maxSliceNums(),
        ...voices,
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
    controls.on('force-listen', () => this.#forceListen(!machine.forceListen));
  }

  #followState() {
    const wakeLock = new WakeLock();
    this.#machine.on('prepared', ({ window }) => {
      byId('context-field').hidden = window?.mode !== 'off';
    });
    this.#machine.on('state', ({ state }) => {
      this.#parts.controls.show(state);
      wakeLock.hold(isRunning(state));
      if (state === 'opening') this.#forceListen(false);
    });
  }

  #forceListen(on) {
    this.#machine.forceListen = on;
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
  const [tailS, monitorGain] = [values.file_tail_s, values.file_volume / 100];
  const file = kind === 'live' ? null : { samples, tailS, monitorGain };
  return new CallInput({ microphone, deviceId, file });
}
