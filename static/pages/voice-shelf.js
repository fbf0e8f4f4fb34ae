/** The voices on the server: what there is, asked once, and the sound of each when it is chosen. */

import { hasDefaultVoice, listVoices, loadVoice } from '../net/voices-api.js';

export const DEFAULT_VOICE = 'default';

export class VoiceShelf {
  #api;
  #listing = null;
  #sounds = new Map();
  #looking = null;

  /** @param {{listVoices: Function, loadVoice: Function, hasDefaultVoice: Function}} [api] */
  constructor(api = { listVoices, loadVoice, hasDefaultVoice }) {
    this.#api = api;
  }

  /** @returns {Promise<object[]>} {id, name}; empty where they cannot be listed */
  list() {
    this.#listing ??= this.#api.listVoices().catch(() => []);
    return this.#listing;
  }

  /** Whether the service has a voice of its own; when it cannot be asked, that is not denied. */
  hasDefault() {
    this.#looking ??= this.#api.hasDefaultVoice().catch(() => true);
    return this.#looking;
  }

  /** @param {string} id @returns {Promise<object>} {data, name, durationS} @throws {Failure} */
  load(id) {
    if (!this.#sounds.has(id)) {
      const loading = this.#api.loadVoice(id === DEFAULT_VOICE ? null : id);
      this.#sounds.set(id, loading);
      loading.catch(() => this.#sounds.delete(id)); // the next choice tries again
    }
    return this.#sounds.get(id);
  }
}
