/**
 * A page of calls: one controller, which duplex-page.js and half-duplex.js tell what they are.
 *
 * What a call itself needs is loaded when somebody reaches for its buttons; see call.js.
 */

import { CallControls } from '../ui/call-controls.js';
import { CallPanels } from './call-panels.js';
import { SettingsSheet } from './settings-sheet.js';
import { askToRecord, showApps, startShell } from './shell.js';

const byId = (id) => document.getElementById(id);
const PLAYBACK_DELAY_MS = 200;

/**
 * @param {{app: string, route: string, name: string, words: object,
 *          openSettings: (delayMs: number, storage: object) => object,
 *          openSource?: (parts: object) => object, loadCall: () => Promise<Function>}} page
 *   `words` as in i18n/index.js; without a source there is only the microphone
 */
export async function startCallPage(page) {
  const shell = await startShell(page.route, page.words);
  const defaults = await shell.defaults;
  const delayMs = defaults.playback_delay_ms ?? PLAYBACK_DELAY_MS;
  new CallPage(page, shell, page.openSettings(delayMs, shell.storage));
}

class CallPage {
  #page;
  #shell;
  #settings;
  #controls = new CallControls(document);
  #source;
  #panels;
  #sheet;
  #call = null;
  #loading = null;
  #starting = false;

  constructor(page, shell, settings) {
    [this.#page, this.#shell, this.#settings] = [page, shell, settings];
    const { toaster, storage } = shell;
    this.#source = page.openSource?.({ settings, toaster }) ?? null;
    this.#panels = new CallPanels({ name: page.name, storage, call: () => this.#call });
    this.#listenToControls();
    this.#openSettings();
    this.#controls.show('idle');
    void this.#checkThatItIsOn();
  }

  #listenToControls() {
    const controls = this.#controls;
    controls.on('start', () => this.#start());
    controls.on('choose-file', () => this.#source.picker.choose());
    controls.on('devices', () => this.#panels.openDevices());
    controls.on('open-metrics', () => this.#panels.toggleMetrics());
    controls.on('open-settings', () => {
      this.#sheet.open();
      void this.#panels.fillVoices();
    });
    controls.on('toggle-captions', () => {
      this.#settings.set('captions', !this.#settings.values.captions);
    });
    for (const sign of ['pointerenter', 'focusin']) {
      byId('controls').addEventListener(sign, () => this.#loadCall(), { once: true });
    }
  }

  /** A click on Start has to be answered in the click, so this begins before. */
  #loadCall() {
    this.#loading ??= this.#openCall();
    return this.#loading;
  }

  async #openCall() {
    const Call = await this.#page.loadCall();
    this.#call = new Call({
      shell: this.#shell,
      controls: this.#controls,
      settings: this.#settings,
      prefix: this.#page.prefix,
      hasVideo: this.#page.hasVideo,
      speakerId: this.#panels.speakerId,
      onRestart: () => this.#start(),
    });
  }

  async #start() {
    if (this.#source?.ready === false) {
      this.#source.picker.choose();
      return;
    }
    if (this.#starting) return;
    this.#starting = true;
    try {
      await this.#getReady();
    } finally {
      this.#starting = false;
    }
    const { microphoneId, voices } = this.#panels;
    this.#call.start({ source: this.#source?.chosen, microphoneId, voices });
  }

  /** Sound is unlocked in the click, before the visitor thinks about recording. */
  async #getReady() {
    if (this.#call === null) await this.#loadCall();
    this.#call.player.unlock();
    await askToRecord(this.#shell);
  }

  #openSettings() {
    this.#sheet = new SettingsSheet({
      shell: this.#shell,
      settings: this.#settings,
      onReset: () => this.#panels.forgetDevices(),
    });
    addEventListener('pagehide', () => this.#settings.flush());
    const show = ({ captions }) => this.#controls.press('toggle-captions', captions);
    this.#settings.on('change', show);
    show(this.#settings.values);
  }

  async #checkThatItIsOn() {
    const apps = await showApps(this.#shell).catch(() => null); // the banner tells of a lost line
    if (apps === null || apps.some(({ app_id: id }) => id === this.#page.app)) return;
    this.#shell.banners.toggle('disabled', true, 'warning');
    byId('start').disabled = true;
  }
}
