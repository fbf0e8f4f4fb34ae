/**
 * Records an omni call as a video: the picture with captions, on the left what the model hears, on
 * the right what it says.
 *
 * Drawing goes by a timer, since frames stop in hidden tabs. Whatever fails here ends the recording
 * and nothing else.
 */

import { CaptionPainter } from './caption-painter.js';

const FRAMES_PER_S = 30;
const PART_MS = 1000;
const [LEFT, RIGHT] = [0, 1];

export class AvRecorder {
  #parts;
  #painter;
  #context;
  #recorder;
  #chunks = [];
  #timer = null;
  #ended;

  /**
   * @param {{video: HTMLVideoElement, heard: MediaStream, spoken: MediaStream, mime: string,
   *          bitsPerSecond: number, look: ?object, captions: () => string[],
   *          onFailure: () => void}} parts `look` of captions as in
   *   lib/caption-layout.js, null for none; `captions`: what has been said, newest last
   */
  constructor(parts) {
    this.#parts = parts;
    const canvas = document.createElement('canvas');
    this.#painter = new CaptionPainter(canvas);
    this.#draw();
    const tracks = [...canvas.captureStream(FRAMES_PER_S).getTracks(), ...this.#sound().getTracks()];
    this.#recorder = new MediaRecorder(new MediaStream(tracks), {
      mimeType: parts.mime,
      videoBitsPerSecond: parts.bitsPerSecond,
    });
    this.#ended = new Promise((resolve) => {
      this.#recorder.onstop = resolve;
    });
    this.#recorder.ondataavailable = ({ data }) => this.#chunks.push(data);
    this.#recorder.onerror = () => this.#fail();
    this.#recorder.start(PART_MS);
    this.#timer = setInterval(() => this.#paint(), 1000 / FRAMES_PER_S);
  }

  /** Picture and sound stand still together. */
  pause() {
    if (this.#recorder.state !== 'recording') return;
    this.#recorder.pause();
    void this.#context.suspend();
  }

  resume() {
    if (this.#recorder.state !== 'paused') return;
    void this.#context.resume();
    this.#recorder.resume();
  }

  /** @returns {Promise<?Blob>} what has been recorded, also before a failure; null for nothing */
  async finish() {
    clearInterval(this.#timer);
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    await this.#ended;
    this.#release();
    const [type] = this.#parts.mime.split(';');
    return this.#chunks.length === 0 ? null : new Blob(this.#chunks, { type });
  }

  /** One side each of what is heard and said. @returns {MediaStream} */
  #sound() {
    const context = new AudioContext();
    const merger = new ChannelMergerNode(context, { numberOfInputs: 2 });
    const { heard, spoken } = this.#parts;
    context.createMediaStreamSource(heard).connect(merger, 0, LEFT);
    context.createMediaStreamSource(spoken).connect(merger, 0, RIGHT);
    const target = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
    merger.connect(target);
    this.#context = context;
    return target.stream;
  }

  #paint() {
    try {
      this.#draw();
    } catch {
      this.#fail();
    }
  }

  #draw() {
    const { video, look, captions } = this.#parts;
    this.#painter.picture(video, video.hasAttribute('data-flipped'));
    if (look !== null) this.#painter.captions(captions(), look);
  }

  #fail() {
    clearInterval(this.#timer);
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    this.#release();
    this.#parts.onFailure();
  }

  #release() {
    for (const track of this.#recorder.stream.getTracks()) track.stop();
    if (this.#context.state !== 'closed') void this.#context.close();
  }
}
