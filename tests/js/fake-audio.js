/** An audio context whose time a test lets pass, and which notes everything. */

class FakeParam {
  value = 1;
  events = [];
  setValueAtTime = (value, timeS) => void this.events.push(['set', value, timeS]);
  linearRampToValueAtTime = (value, timeS) => void this.events.push(['ramp', value, timeS]);
  setTargetAtTime = (value) => void (this.value = value);
  cancelScheduledValues = (fromS) => {
    this.events = this.events.filter(([, , timeS]) => timeS < fromS);
  };
}

class FakeNode {
  gain = new FakeParam();
  connect = (target) => target;
}

class FakeSource extends FakeNode {
  startS = null;
  stopS = Infinity;
  start = (timeS) => void (this.startS = timeS);
  stop = (timeS) => void (this.stopS = timeS);

  get endS() {
    return Math.min(this.stopS, this.startS + this.buffer.length / this.buffer.sampleRate);
  }
}

export class FakeAudioContext {
  static opened = [];
  destination = new FakeNode();
  gains = [];
  sources = [];
  state = 'running';
  currentTime = 0;

  constructor({ sampleRate }) {
    this.sampleRate = sampleRate;
    FakeAudioContext.opened.push(this);
  }

  createGain() {
    this.gains.push(new FakeNode());
    return this.gains.at(-1);
  }

  createAnalyser() {
    return new FakeNode();
  }

  createBuffer(channels, length, sampleRate) {
    const buffer = { length, sampleRate, copyToChannel: (samples) => (buffer.samples = samples) };
    return buffer;
  }

  createBufferSource() {
    this.sources.push(new FakeSource());
    return this.sources.at(-1);
  }

  async resume() {
    this.change('running');
  }

  async suspend() {
    this.change('suspended');
  }

  async close() {
    this.change('closed');
  }

  /** What the browser or the system does. */
  change(state) {
    this.state = state;
    this.onstatechange?.();
  }

  /** Lets time pass, unless the context is suspended. */
  pass(durationMs) {
    if (this.state !== 'running') return;
    const untilS = this.currentTime + durationMs / 1000;
    const due = this.sources.filter(({ endS }) => endS > this.currentTime && endS <= untilS);
    this.currentTime = untilS;
    for (const source of due) source.onended();
  }
}

/** @param {number} durationMs @returns {Float32Array} that much sound at 24 kHz */
export function soundOf(durationMs) {
  return new Float32Array(durationMs * 24).fill(0.5);
}
