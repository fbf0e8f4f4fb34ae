/** Choosing the microphone and the loudspeaker, before a call or in the middle of one. */

import { CallInput } from '../audio/call-input.js';
import { Devices } from '../audio/devices.js';
import { Microphone } from '../audio/microphone.js';
import { asFailure } from '../lib/failure.js';
import { DeviceMenu } from '../ui/device-menu.js';

const LEVEL_PERIOD_MS = 100;

export class DeviceController {
  #parts;
  #devices = new Devices();
  #menu = new DeviceMenu(document.body, { hasSpeakers: 'setSinkId' in AudioContext.prototype });
  #trial = null; // a microphone that is open only to be tried
  #timer = null;

  /**
   * @param {{storage: object, call: () => ?import('./call.js').Call, microphoneKey: string,
   *          speakerKey: string}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    this.#devices.on('change', () => this.#list());
    this.#menu.on('microphone', (id) => this.#do(() => this.#useMicrophone(id)));
    this.#menu.on('speaker', (id) => this.#do(() => this.#useSpeaker(id)));
    this.#menu.on('close', () => this.#close());
  }

  /** Without a call the microphone is opened, since devices have no names before. */
  open() {
    this.#menu.open();
    void this.#do(async () => {
      if (this.#input === null) await this.#try();
    });
  }

  get #input() {
    return this.#parts.call()?.input ?? this.#trial;
  }

  async #try() {
    const deviceId = this.#remembered('microphoneKey');
    const trial = new CallInput({ microphone: new Microphone(), deviceId });
    trial.on('warning', ({ failure }) => this.#menu.failure(failure));
    await trial.open();
    if (this.#menu.shown) this.#trial = trial;
    else trial.close();
  }

  async #do(action) {
    try {
      await action();
    } catch (error) {
      this.#menu.failure(asFailure(error));
    }
    await this.#list();
    this.#showLevel();
  }

  async #list() {
    if (!this.#menu.shown) return;
    const { microphones, speakers } = await this.#devices.list();
    this.#menu.show({
      microphones,
      speakers,
      microphoneId: this.#remembered('microphoneKey'),
      speakerId: this.#remembered('speakerKey'),
    });
  }

  async #useMicrophone(id) {
    this.#parts.storage.setText(this.#parts.microphoneKey, id);
    if (this.#input === null) await this.#try();
    else await this.#input.useMicrophone(id);
  }

  async #useSpeaker(id) {
    await this.#parts.call()?.player.useSpeaker(id);
    this.#parts.storage.setText(this.#parts.speakerKey, id);
  }

  #remembered(key) {
    return this.#parts.storage.getText(this.#parts[key]) ?? '';
  }

  #showLevel() {
    clearTimeout(this.#timer);
    if (!this.#menu.shown) return;
    this.#menu.level = this.#input?.meter?.read() ?? 0;
    this.#timer = setTimeout(() => this.#showLevel(), LEVEL_PERIOD_MS);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#trial?.close();
    this.#trial = null;
  }
}
