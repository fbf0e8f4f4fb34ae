import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const QUANTUM = 128;

/** One end of a channel that copies what is sent through it, or takes it away. */
class FakePort {
  received = [];
  moved = 0;

  postMessage(message, moved = []) {
    this.moved += moved.length;
    this.received.push(structuredClone(message, { transfer: moved }));
  }
}

describe('the capture worklet', () => {
  let Processor;
  let processor;

  beforeAll(async () => {
    vi.stubGlobal('AudioWorkletProcessor', class {
      port = new FakePort();
    });
    vi.stubGlobal('registerProcessor', (_, registered) => {
      Processor = registered;
    });
    await import('../../static/audio/capture-worklet.js');
  });

  beforeEach(() => {
    vi.stubGlobal('currentTime', 2);
    const processorOptions = { chunkSize: 320, inputRate: 16_000, outputRate: 16_000 };
    processor = new Processor({ processorOptions });
    processor.port.onmessage({ data: { type: 'start' } });
  });

  function hear(from, samples) {
    for (let at = from; at < from + samples; at += QUANTUM) {
      const input = Float32Array.from({ length: QUANTUM }, (_, index) => (at + index) / 4096);
      processor.process([[input]], [[new Float32Array(QUANTUM)]]);
    }
  }

  const heard = () => processor.port.received.flatMap(({ audio }) => [...audio]);

  it('sends chunk after chunk, each with sound of its own', () => {
    hear(0, 5 * QUANTUM);
    processor.port.onmessage({ data: { type: 'stop' } });
    const { received } = processor.port;
    expect(received.map(({ audio }) => audio.length)).toEqual([320, 320, 0]);
    expect(received.map(({ startFrame }) => startFrame)).toEqual([0, 320, 640]);
    expect(received.map(({ final }) => final)).toEqual([false, false, true]);
    expect(heard()).toEqual(Array.from({ length: 640 }, (_, index) => index / 4096));
  });

  it('sends what is left when it is asked to', () => {
    hear(0, QUANTUM);
    processor.port.onmessage({ data: { type: 'flush' } });
    hear(QUANTUM, 3 * QUANTUM);
    expect(processor.port.received.map(({ audio }) => audio.length)).toEqual([QUANTUM, 320]);
    expect(heard()).toEqual(Array.from({ length: 448 }, (_, index) => index / 4096));
  });

  it('hands no buffers over, which would pile up on the audio thread', () => {
    hear(0, 5 * QUANTUM);
    expect(processor.port.moved).toBe(0);
  });
});
