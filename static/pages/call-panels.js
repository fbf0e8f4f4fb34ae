/** What only some visitors open, loaded when they do: devices, voices, figures. */

const METRICS_PERIOD_MS = 250;

export class CallPanels {
  #prompt = null;
  #speech = null;
  #devices = null;
  #metrics = null;
  #parts;

  /**
   * @param {{name: string, storage: object, call: () => ?import('./call.js').Call}} parts `name`
   *   goes before what is remembered
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

  /** What a call begins with, in base64; null is the service's own. Some pages have only the first. */
  get voices() {
    return { promptVoice: this.#prompt?.data ?? null, speechVoice: this.#speech?.data ?? null };
  }

  async fillVoices() {
    if (this.#prompt !== null) return;
    const { VoiceController } = await import('./voice-controller.js');
    if (this.#prompt !== null) return;
    const open = (id, name) => {
      const container = document.getElementById(id);
      const words = { titleKey: `call.${name}`, helpKey: `call.${name}_help` };
      return container && new VoiceController(container, words);
    };
    this.#prompt = open('prompt-voice', 'prompt_voice');
    this.#speech = open('speech-voice', 'speech_voice');
  }

  async openDevices() {
    const { DeviceController } = await import('./device-controller.js');
    const { storage, call } = this.#parts;
    const [microphoneKey, speakerKey] = [this.#key('mic'), this.#key('speaker')];
    this.#devices ??= new DeviceController({ storage, call, microphoneKey, speakerKey });
    this.#devices.open();
  }

  async toggleMetrics() {
    const container = document.getElementById('metrics');
    const { MetricsPanel } = await import('../ui/metrics-panel.js');
    this.#metrics ??= new MetricsPanel(container);
    container.hidden = !container.hidden;
    document.getElementById('open-metrics').setAttribute('aria-expanded', String(!container.hidden));
    if (!container.hidden) this.#refreshMetrics(container);
  }

  /** The system's microphone and loudspeaker again. */
  forgetDevices() {
    this.#forget('mic');
    this.#forget('speaker');
    void this.#parts.call()?.player.useSpeaker('');
  }

  #refreshMetrics(container) {
    const call = this.#parts.call();
    if (call !== null) {
      const { stats, player } = call;
      this.#metrics.show({ stats, playback: player.stats, aheadMs: player.aheadMs });
    }
    setTimeout(() => {
      if (!container.hidden) this.#refreshMetrics(container);
    }, METRICS_PERIOD_MS);
  }

  #key(device) {
    return `${this.#parts.name}_${device}`;
  }

  #forget(device) {
    this.#parts.storage.remove(this.#key(device));
  }
}
