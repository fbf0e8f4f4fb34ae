/**
 * What only some visitors open, loaded when they do: devices, figures, comfort, the check
 * of the set-up, what was said, help with the keys.
 */

import { Failure } from '../lib/failure.js';

export class CallPanels {
  #devices = null;
  #metrics = null;
  #selfTest = null;
  #hasComfort = false;
  #parts;

  /**
   * @param {{page: {name: string, hasVideo?: boolean}, storage: object, toaster: object,
   *          comfort: object, call: () => ?import('./call.js').Call}} parts `name` goes before what
   *   is remembered
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** The remembered microphone, '' for the system's choice. */
  get microphoneId() {
    return this.#parts.storage.getText(this.#key('mic')) ?? '';
  }

  /** The remembered loudspeaker, likewise. */
  get speakerId() {
    return this.#parts.storage.getText(this.#key('speaker')) ?? '';
  }

  async openDevices() {
    const { DeviceController } = await import('./device-controller.js');
    const { storage, call } = this.#parts;
    const [microphoneKey, speakerKey] = [this.#key('mic'), this.#key('speaker')];
    this.#devices ??= new DeviceController({ storage, call, microphoneKey, speakerKey });
    this.#devices.open();
  }

  async toggleMetrics() {
    await this.#open(import('./metrics-controller.js'), ({ MetricsController }) => {
      const { page, call, toaster } = this.#parts;
      this.#metrics ??= new MetricsController({ page, call, toaster });
      this.#metrics.toggle();
    });
  }

  /** The settings that all pages of calls share. */
  async fillComfort() {
    if (this.#hasComfort) return;
    await this.#open(import('./comfort-controller.js'), ({ openComfort }) => {
      if (!this.#hasComfort) openComfort(this.#parts);
      this.#hasComfort = true;
    });
  }

  async checkSetup() {
    await this.#open(import('./self-test-controller.js'), ({ SelfTestController }) => {
      const { page, storage } = this.#parts;
      this.#selfTest ??= new SelfTestController({ hasCamera: page.hasVideo === true, storage });
      const { microphoneId, speakerId } = this;
      this.#selfTest.open({ microphoneId, speakerId });
    });
  }

  async openTranscript() {
    await this.#open(import('./call-transcript.js'), ({ openTranscript }) =>
      openTranscript(this.#parts),
    );
  }

  async showKeys() {
    await this.#open(import('../ui/shortcuts-help.js'), ({ showShortcuts }) => {
      showShortcuts(this.#parts.page.name);
    });
  }

  /** The system's microphone and loudspeaker again. */
  forgetDevices() {
    this.#forget('mic');
    this.#forget('speaker');
    void this.#parts.call()?.player.useSpeaker('');
  }

  /** With its words and looks. */
  async #open(module, use) {
    try {
      const [part, { loadMore }] = await Promise.all([module, import('./call-more.js')]);
      await loadMore();
      await use(part);
    } catch (error) {
      this.#parts.toaster.failure(new Failure('unreachable', { cause: error }));
    }
  }

  #key(device) {
    return `${this.#parts.page.name}_${device}`;
  }

  #forget(device) {
    this.#parts.storage.remove(this.#key(device));
  }
}
