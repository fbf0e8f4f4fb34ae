/** The presets of each mode, to look at. */

import { loadPresets } from '../net/admin-api.js';
import { appNameKey } from '../ui/apps.js';
import { element } from '../ui/dom.js';
import { presetDetails } from '../ui/preset-details.js';

const LANGUAGES = { en: 'English', zh: '中文' };

const byId = (id) => document.getElementById(id);

export class AdminPresets {
  #mode = byId('preset-mode');
  #language = byId('preset-language');
  #presets = {};
  #shown = '';

  /** @param {{language: string}} options that of the page */
  constructor({ poller, language }) {
    for (const [value, text] of Object.entries(LANGUAGES)) {
      this.#language.append(element('option', { value, text }));
    }
    this.#language.value = language;
    this.#language.addEventListener('change', () => poller.hurry(['presets']));
    this.#mode.addEventListener('change', () => this.#show());
    poller.on('presets', (presets) => {
      this.#presets = presets;
      this.#offerModes();
      this.#show();
    });
  }

  /** Those in the language that was chosen. */
  load() {
    return loadPresets(this.#language.value);
  }

  #offerModes() {
    const offered = new Set([...this.#mode.options].map(({ value }) => value));
    for (const value of Object.keys(this.#presets)) {
      const key = appNameKey(value);
      const name = key === null ? { text: value } : { i18n: key };
      if (!offered.has(value)) this.#mode.append(element('option', { value, ...name }));
    }
  }

  /** Presets that are being read stay open: they are drawn anew only when they changed. */
  #show() {
    const presets = this.#presets[this.#mode.value] ?? [];
    const shown = JSON.stringify(presets);
    if (shown === this.#shown) return;
    this.#shown = shown;
    byId('preset-list').replaceChildren(...presets.map(presetDetails));
    byId('no-presets').hidden = presets.length > 0;
  }
}
