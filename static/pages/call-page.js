/**
 * A page of calls: one controller, which duplex-page.js and half-duplex.js tell what they are.
 *
 * What a call itself needs is loaded when somebody reaches for its buttons; see call.js.
 */

import { openComfortSettings } from '../state/comfort-settings.js';
import { LastTranscript } from '../state/last-transcript.js';
import { CallControls } from '../ui/call-controls.js';
import { TalkModes } from '../ui/talk-modes.js';
import { CallPanels } from './call-panels.js';
import { CallTools } from './call-tools.js';
import { showExamples } from './examples-on-demand.js';
import { PersonaOnDemand } from './persona-on-demand.js';
import { SettingsSheet } from './settings-sheet.js';
import { askToRecord, showApps, startShell, tellUntilClosed, watchAccess } from './shell.js';

const byId = (id) => document.getElementById(id);
const PLAYBACK_DELAY_MS = 200;

/**
 * @param {{app: string, route: string, name: string, words: object, note?: string,
 *          openSettings: (delayMs: number, storage: object) => object,
 *          openSource?: (parts: object) => object, loadCall: () => Promise<Function>}} page
 *   `words` as in i18n/index.js; `note` as in shell.js; without a source there is only the
 *   microphone
 */
export async function startCallPage(page) {
  const shell = await startShell(page.route, page.words);
  if (page.note !== undefined) tellUntilClosed(shell, page.note);
  const defaults = await shell.defaults;
  const delayMs = defaults.playback_delay_ms ?? PLAYBACK_DELAY_MS;
  new CallPage(page, shell, page.openSettings(delayMs, shell.storage));
}

class CallPage {
  #page;
  #shell;
  #settings;
  #controls = new CallControls(document);
  #comfort;
  #talk = new TalkModes(byId('talk'));
  #source;
  #panels;
  #tools;
  #persona;
  #sheet;
  #call = null;
  #loading = null;
  #starting = false;

  constructor(page, shell, settings) {
    [this.#page, this.#shell, this.#settings] = [page, shell, settings];
    const { toaster, storage } = shell;
    this.#comfort = openComfortSettings(storage);
    this.#source = page.openSource?.({ settings, toaster }) ?? null;
    this.#panels = new CallPanels({
      page,
      storage,
      toaster,
      comfort: this.#comfort,
      call: () => this.#call,
    });
    this.#tools = new CallTools({
      name: page.name,
      shell,
      settings,
      source: this.#source,
      call: () => this.#call,
      microphoneId: () => this.#panels.microphoneId,
    });
    this.#persona = new PersonaOnDemand({
      mode: page.app,
      storage,
      settings,
      onFailure: (failure) => toaster.failure(failure),
    });
    watchAccess(shell);
    this.#listenToControls();
    this.#followTalk();
    this.#openSettings();
    this.#controls.show('idle');
    const { lines } = new LastTranscript(page.name, storage);
    byId('call').toggleAttribute('data-transcript', lines.length > 0);
    byId('call').inert = false; // which no press before this moment would have reached
    void this.#checkThatItIsOn();
    void showExamples(shell, page.app, document.querySelector('.log-empty'));
  }

  #listenToControls() {
    const controls = this.#controls;
    controls.on('start', () => this.#start());
    controls.on('choose-file', () => this.#source.picker.choose());
    controls.on('devices', () => this.#panels.openDevices());
    controls.on('open-metrics', () => this.#panels.toggleMetrics());
    controls.on('check-setup', () => this.#panels.checkSetup());
    controls.on('transcript', () => this.#panels.openTranscript());
    controls.on('help', () => this.#panels.showKeys());
    controls.on('open-settings', () => {
      this.#sheet.open();
      void this.#panels.fillComfort();
      void this.#persona.show();
    });
    controls.on('toggle-captions', () => {
      this.#settings.set('captions', !this.#settings.values.captions);
    });
    for (const sign of ['pointerenter', 'focusin']) {
      byId('controls').addEventListener(sign, () => this.#loadCall(), { once: true });
    }
  }

  #followTalk() {
    this.#talk.on('mode', ({ mode }) => this.#comfort.set('talk_mode', mode));
    const show = ({ talk_mode: mode }) => {
      this.#talk.mode = mode;
      this.#controls.talks = mode !== 'open';
    };
    this.#comfort.on('change', show);
    show(this.#comfort.values);
    addEventListener('pagehide', () => this.#comfort.flush());
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
      comfort: this.#comfort,
      talk: this.#talk,
      name: this.#page.name,
      tools: this.#tools,
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
    const { microphoneId } = this.#panels;
    const { opening } = this.#persona;
    this.#call.start({ source: this.#source?.chosen, microphoneId, opening });
  }

  /** Sound is unlocked in the click, before the visitor thinks about recording. */
  async #getReady() {
    if (this.#call === null) await this.#loadCall();
    this.#call.player.unlock();
    await askToRecord(this.#shell);
    await this.#persona.ready();
  }

  #openSettings() {
    this.#sheet = new SettingsSheet({
      shell: this.#shell,
      settings: this.#settings,
      onReset: () => {
        this.#panels.forgetDevices();
        void this.#persona.reset();
        this.#tools.reset();
        this.#comfort.reset();
      },
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
