/** What a visitor is told when a call does not go as it should: what happened, and what to do. */

import { Failure } from '../lib/failure.js';
import { element } from '../ui/dom.js';
import { failureCard } from '../ui/failure-text.js';

const SOUND_CHECK_MS = 500;

export class CallNotices {
  #container;
  #shell;
  #remedies;
  #player;
  #noted = new Set(); // in this call

  /**
   * @param {{container: HTMLElement, shell: object, machine: object, player: object,
   *          voice: import('./call-voice.js').CallVoice, remedies: object}} parts `remedies` as
   *   ui/failure-text.js
   */
  constructor({ container, shell, machine, player, voice, remedies }) {
    [this.#container, this.#shell] = [container, shell];
    [this.#remedies, this.#player] = [remedies, player];
    const { banners, toaster } = shell;
    machine.on('stall', ({ stalled }) => banners.toggle('stalled', stalled, 'warning'));
    machine.on('slow', ({ slow }) => banners.toggle('slow', slow, 'warning'));
    machine.on('warning', ({ failure }) => toaster.failure(failure));
    voice.on('silent', () => toaster.failure(new Failure('mic_silent')));
    machine.on('context', ({ level }) => {
      toaster.news('call.context_used', { percent: Math.round(level * 100) });
    });
    machine.on('prepared', ({ warning }) => {
      if (warning !== null) this.#note(warning);
    });
    machine.on('note', ({ text }) => this.#note(text));
    machine.on('state', ({ state }) => this.#enter(state));
    machine.on('end', (event) => this.#tellEnd(event));
    document.addEventListener('pointerdown', () => {
      if (player.locked) player.unlock();
    });
  }

  #enter(state) {
    const { banners } = this.#shell;
    if (state === 'opening') {
      this.#container.replaceChildren();
      this.#noted.clear();
    }
    if (state === 'live') {
      setTimeout(() => banners.toggle('locked', this.#player.locked), SOUND_CHECK_MS);
    }
    if (['ended', 'failed', 'idle'].includes(state)) {
      for (const name of ['stalled', 'slow', 'locked']) banners.toggle(name, false);
    }
  }

  /** What the service says more than once is told once. */
  #note(text) {
    if (!this.#noted.has(text)) this.#shell.toaster.news('call.service_note', { text });
    this.#noted.add(text);
  }

  #tellEnd({ reason, failure }) {
    if (failure !== null) this.#container.append(failureCard(failure, this.#remedies));
    else if (reason !== 'cancelled') {
      const text = element('p', { role: 'status', class: 'call-ended', i18n: `call.end.${reason}` });
      this.#container.append(text);
    }
  }
}
