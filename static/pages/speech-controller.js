/** Speaks answers: plays what streams in, and leaves a player below the words. */

import { Player } from '../audio/player.js';
import { t } from '../i18n/index.js';
import { SPEECH_SAMPLE_RATE } from '../lib/limits.js';
import { joinSamples } from '../lib/pcm.js';
import { encodeWav } from '../lib/wav.js';
import { loadFrontendDefaults } from '../net/catalog-api.js';
import { audioPill, pauseSounds } from '../ui/audio-pill.js';
import { SpeakingStrip } from '../ui/speaking-strip.js';

const PLAYBACK_DELAY_MS = 200; // until the service has told its own
const FILE_NAME = 'answer.wav';

export class SpeechController {
  #player;
  #onStop;
  #spoken = null; // the answer that sounds: {view, parts, strip}
  #urls = [];

  /**
   * @param {{onStop: () => void, player?: Player}} options
   */
  constructor({ onStop, player = new Player({ playbackDelayMs: PLAYBACK_DELAY_MS }) }) {
    [this.#player, this.#onStop] = [player, onStop];
    player.on('idle', () => this.#settle({ playedOut: true }));
    document.addEventListener('play', () => this.#giveWay(), true);
    void this.#adoptDelay();
  }

  get speaking() {
    return this.#spoken !== null && this.#spoken.parts.length > 0;
  }

  begin(view) {
    this.stop();
    this.#player.unlock();
    this.#player.beginTurn();
    const strip = new SpeakingStrip({ player: this.#player, onStop: this.#onStop });
    this.#spoken = { view, parts: [], strip };
  }

  hear(samples) {
    if (this.#spoken === null) return;
    const { view, parts, strip } = this.#spoken;
    if (parts.length === 0) {
      pauseSounds();
      view.showSound(strip.element);
    }
    parts.push(samples);
    this.#player.push(samples);
  }

  end() {
    this.#player.endTurn();
  }

  stop() {
    if (this.#spoken === null) return null;
    const heardMs = this.#player.stopAll();
    this.#settle({ playedOut: false });
    return heardMs;
  }

  release() {
    for (const url of this.#urls.splice(0)) URL.revokeObjectURL(url);
  }

  async #adoptDelay() {
    const { playback_delay_ms: delayMs } = await loadFrontendDefaults().catch(() => ({}));
    if (delayMs !== undefined) this.#player.playbackDelayMs = delayMs;
  }

  /** Another sound was started on the page. */
  #giveWay() {
    if (this.speaking) this.#player.pause();
  }

  #settle({ playedOut }) {
    const { view, parts, strip } = this.#spoken;
    this.#spoken = null;
    strip.close();
    if (parts.length === 0) return;
    const hadFocus = strip.element.contains(document.activeElement);
    const pill = this.#pill(joinSamples(parts));
    view.showSound(pill);
    if (hadFocus) pill.querySelector('button').focus();
    if (playedOut) view.addFact(gapFact(this.#player.stats));
  }

  #pill(samples) {
    const file = new Blob([encodeWav(samples, SPEECH_SAMPLE_RATE)], { type: 'audio/wav' });
    const url = URL.createObjectURL(file);
    this.#urls.push(url);
    const durationS = samples.length / SPEECH_SAMPLE_RATE;
    return audioPill({ url, name: t('speech.sound'), durationS, fileName: FILE_NAME });
  }
}

function gapFact({ gaps, gapMs }) {
  if (gaps === 0) return { key: 'speech.no_gaps' };
  return { key: 'speech.gaps', params: { count: gaps, seconds: Math.round(gapMs / 100) / 10 } };
}
