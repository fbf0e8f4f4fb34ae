/** Checks, one after the other, what a call needs: page, microphone, loudspeaker, camera, line. */

import { CallInput } from '../audio/call-input.js';
import { Microphone } from '../audio/microphone.js';
import { Player } from '../audio/player.js';
import { findEcho, sweep } from '../lib/echo.js';
import { asFailure } from '../lib/failure.js';
import { SAMPLE_RATE, SPEECH_SAMPLE_RATE } from '../lib/limits.js';
import { pause } from '../lib/pause.js';
import { joinSamples, rmsDecibels } from '../lib/pcm.js';
import { measureSocket } from '../net/socket-probe.js';
import { socketUrl } from '../net/socket.js';
import { keepEcho } from '../state/comfort-settings.js';
import { SelfTestDialog } from '../ui/self-test.js';
import { Camera } from '../video/camera.js';

const CHUNK_SAMPLES = SAMPLE_RATE / 10;
const LISTEN_MS = 2000;
const SWEEP_S = 1;
const ECHO_TAIL_MS = 500; // how late an echo may come
const [SPOKEN_DB, FAINT_DB] = [-45, -60];
const QUICK_MS = 300;

export class SelfTestController {
  #parts;
  #dialog;
  #run = 0; // a run that was given up touches nothing
  #input = null;
  #player = null;

  /** @param {{hasCamera: boolean, storage: object}} parts */
  constructor(parts) {
    this.#parts = parts;
    const camera = parts.hasCamera ? ['camera'] : [];
    this.#dialog = new SelfTestDialog(document.body, [
      'page', 'microphone', 'speaker', 'echo', ...camera, 'socket',
    ]);
    this.#dialog.on('start', () => this.#check());
    this.#dialog.on('close', () => this.#release());
  }

  /** Call it in a click. @param {{microphoneId: string, speakerId: string}} devices */
  open(devices) {
    this.#parts = { ...this.#parts, ...devices };
    this.#dialog.open();
    void this.#check();
  }

  async #check() {
    this.#release();
    const run = this.#run;
    this.#dialog.begin();
    this.#player = new Player({ playbackDelayMs: 0 });
    this.#player.unlock();
    const checks = {
      page: () => this.#checkPage(),
      microphone: () => this.#checkMicrophone(),
      speaker: () => this.#checkSpeaker(),
      echo: () => this.#checkEcho(),
      ...(this.#parts.hasCamera && { camera: () => this.#checkCamera() }),
      socket: () => this.#checkSocket(),
    };
    let good = true;
    for (const [name, check] of Object.entries(checks)) {
      this.#dialog.show(name, 'running', `check.${name}_running`);
      const result = await check().catch(told);
      if (run !== this.#run) return;
      good &&= result.state === 'good';
      this.#dialog.show(name, result.state, result.key, result.params);
    }
    this.#dialog.finish(good);
    this.#release();
  }

  async #checkPage() {
    if (isSecureContext && navigator.mediaDevices) return { state: 'good', key: 'check.page_good' };
    return { state: 'poor', key: 'failure.insecure_context.hint', params: { host: location.host } };
  }

  async #checkMicrophone() {
    this.#input = new CallInput({
      microphone: new Microphone(),
      deviceId: this.#parts.microphoneId,
      chunkSamples: CHUNK_SAMPLES,
    });
    await this.#input.open();
    this.#input.start();
    const chunks = await this.#listen(LISTEN_MS);
    const decibels = Math.round(Math.max(-100, ...chunks.map(rmsDecibels)));
    if (decibels >= SPOKEN_DB) return { state: 'good', key: 'check.microphone_good', params: { decibels } };
    const faint = decibels >= FAINT_DB;
    const key = faint ? 'check.microphone_faint' : 'check.microphone_silent';
    return { state: faint ? 'fair' : 'poor', key, params: { decibels } };
  }

  /** Nobody but the visitor knows whether it was heard. */
  async #checkSpeaker() {
    await this.#player.useSpeaker(this.#parts.speakerId);
    this.#playSweep();
    await pause(SWEEP_S * 1000);
    if (this.#player.locked) return { state: 'poor', key: 'check.speaker_locked' };
    return { state: 'good', key: 'check.speaker_good' };
  }

  async #checkEcho() {
    if (this.#input?.meter === null) return { state: 'fair', key: 'check.echo_unknown' };
    this.#playSweep();
    const recorded = joinSamples(await this.#listen(SWEEP_S * 1000 + ECHO_TAIL_MS));
    const { heard } = findEcho(recorded, sweep(SAMPLE_RATE, SWEEP_S));
    keepEcho(this.#parts.storage, heard);
    if (heard) return { state: 'fair', key: 'check.echo_heard' };
    return { state: 'good', key: 'check.echo_good' };
  }

  async #checkCamera() {
    const camera = new Camera({ onLost: () => {} });
    try {
      const stream = await camera.open();
      const { width, height } = stream.getVideoTracks()[0].getSettings();
      return { state: 'good', key: 'check.camera_good', params: { width, height } };
    } finally {
      camera.close();
    }
  }

  async #checkSocket() {
    const ms = Math.round(await measureSocket(socketUrl(location, '/ws/chat')));
    if (ms <= QUICK_MS) return { state: 'good', key: 'check.socket_good', params: { ms } };
    return { state: 'fair', key: 'check.socket_slow', params: { ms } };
  }

  #playSweep() {
    this.#player.beginTurn({ interrupt: true });
    this.#player.push(sweep(SPEECH_SAMPLE_RATE, SWEEP_S));
    this.#player.endTurn();
  }

  /** @returns {Promise<Float32Array[]>} what the microphone hears meanwhile */
  async #listen(durationMs) {
    const chunks = [];
    const stop = this.#input.on('chunk', ({ samples }) => chunks.push(samples));
    await pause(durationMs);
    stop();
    return chunks;
  }

  #release() {
    this.#run += 1;
    this.#input?.close();
    this.#player?.close();
    [this.#input, this.#player] = [null, null];
  }
}

/** A failure says itself what to do next. */
function told(error) {
  const { key, params } = asFailure(error);
  return { state: 'poor', key: `failure.${key}.hint`, params };
}
