/** The microphones, loudspeakers and cameras that can be chosen from. */

import { Emitter } from '../lib/emitter.js';

const KINDS = { audioinput: 'microphones', audiooutput: 'speakers', videoinput: 'cameras' };

/** Event: `change` when something is plugged in or out. */
export class Devices extends Emitter {
  #mediaDevices;

  /** @param {?MediaDevices} mediaDevices absent on pages that are not secure */
  constructor(mediaDevices = globalThis.navigator.mediaDevices) {
    super();
    this.#mediaDevices = mediaDevices ?? null;
    this.#mediaDevices?.addEventListener('devicechange', () => this.emit('change'));
  }

  /**
   * Names are empty until one device of the kind has been allowed.
   * @returns {Promise<Record<'microphones' | 'speakers' | 'cameras', {id: string, name: string}[]>>}
   */
  async list() {
    const found = { microphones: [], speakers: [], cameras: [] };
    for (const device of (await this.#mediaDevices?.enumerateDevices()) ?? []) {
      const { kind, deviceId: id, label: name } = device;
      if (id !== '' && name !== '') found[KINDS[kind]].push({ id, name });
    }
    return found;
  }
}
