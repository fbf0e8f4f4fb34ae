/** Presets, system content and voices: loaded with the settings, or when some are remembered. */

import { Failure } from '../lib/failure.js';

const NOTHING = { content: [], voice: null, promptVoice: null, speechVoice: null };

export class PersonaOnDemand {
  #page;
  #onFailure;
  #opening = null;
  #persona = null;
  #isRemembered;

  /**
   * @param {{mode: string, storage: object, settings: object,
   *          onFailure: (failure: Failure) => void}} page as pages/persona.js
   */
  constructor({ onFailure, ...page }) {
    [this.#page, this.#onFailure] = [page, onFailure];
    this.#isRemembered = page.storage.getText(`${page.mode}_preset`) !== null;
    if (this.#isRemembered) void this.#prepare();
  }

  /** What a session opens with; see ContentController and PromptController. */
  get opening() {
    return this.#persona?.opening ?? NOTHING;
  }

  /** Whether `opening` is about to change without the visitor's doing. */
  get isLoading() {
    if (this.#persona !== null) return this.#persona.isBringing;
    return this.#isRemembered && this.#opening !== null;
  }

  /** Resolves when it is not. */
  async ready() {
    if (this.isLoading) await this.#opening;
    await this.#persona?.ready();
  }

  /** The settings are open. */
  async show() {
    await this.#prepare();
    await this.#persona?.opened();
  }

  /** No preset, nothing written. */
  async reset() {
    await this.#prepare();
    this.#persona?.clear();
  }

  #prepare() {
    this.#opening ??= this.#load();
    return this.#opening;
  }

  async #load() {
    try {
      const { openPersona } = await import('./persona.js');
      this.#persona = await openPersona({ ...this.#page, onFailure: this.#onFailure });
    } catch (error) {
      this.#opening = null; // the next opening of the settings tries again
      this.#onFailure(new Failure('unreachable', { cause: error }));
    }
  }
}
