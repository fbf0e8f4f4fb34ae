/**
 * Records a call on this device, where the visitor wants it. A recording that fails is told about,
 * and the call goes on.
 */

const MEGA = 1e6;
const MINUTE_MS = 60_000;
const TURNS_IN_PICTURE = 20;

export class CallRecorder {
  #parts;
  #input = null;
  #recorder = null;
  #unlisten = [];
  #finished = Promise.resolve(null);

  /**
   * @param {{name: string, tools: import('./call-tools.js').CallTools, shell: object,
   *          machine: object, player: object, view: object, hasVideo?: boolean}} parts `name` of the
   *   page; `view` has the transcript
   */
  constructor(parts) {
    this.#parts = parts;
    parts.machine.on('state', ({ state, previous }) => this.#enter(state, previous));
  }

  /** Call it before the machine starts. @param {import('../audio/call-input.js').CallInput} input */
  follow(input) {
    this.#input = this.#parts.tools.recording.values.on ? input : null;
    this.#finished = Promise.resolve(null);
    this.#parts.tools.offer(null);
  }

  /** @returns {Promise<?Blob>} the last call, once it is over; null when it was not recorded */
  recording() {
    return this.#finished;
  }

  #enter(state, previous) {
    if (this.#input === null) return;
    if (state === 'opening') this.#load().catch(() => null); // tried again when it is needed
    else if (state === 'live' && previous === 'preparing') void this.#begin(this.#input);
    else if (state === 'live') this.#do((recorder) => recorder.resume?.());
    else if (state === 'paused') this.#do((recorder) => recorder.pause());
    else if (['ended', 'failed'].includes(state)) this.#finished = this.#finish();
  }

  #load() {
    return this.#parts.hasVideo
      ? Promise.all([import('../record/av-recorder.js'), import('../record/codec-support.js')])
      : import('../record/stereo-recorder.js').then((module) => [module]);
  }

  async #begin(input) {
    try {
      const [{ AvRecorder, StereoRecorder }, codecs] = await this.#load();
      if (input !== this.#input) return;
      this.#recorder = codecs ? this.#video(AvRecorder, codecs) : this.#sound(StereoRecorder);
    } catch {
      this.#fail();
    }
  }

  #sound(StereoRecorder) {
    const { player } = this.#parts;
    const input = this.#input;
    const recorder = new StereoRecorder({ positionMs: () => input.positionMs });
    this.#unlisten = [
      input.on('chunk', (chunk) => this.#do(() => recorder.hear(chunk))),
      player.tap((piece) => this.#do(() => recorder.speak(piece))),
      player.on('cut', (cut) => this.#do(() => recorder.cut(cut))),
    ];
    return recorder;
  }

  #video(AvRecorder, { pickVideoFormat }) {
    const { tools, player } = this.#parts;
    const wanted = tools.recording.values;
    const look = {
      areaPercent: wanted.area_percent,
      bottomPercent: wanted.bottom_percent,
      topPercent: wanted.top_percent,
    };
    return new AvRecorder({
      video: document.getElementById('picture'),
      heard: this.#input.stream,
      spoken: player.stream,
      mime: pickVideoFormat(wanted.mime),
      bitsPerSecond: wanted.megabits * MEGA,
      look: wanted.captions ? look : null,
      captions: () => this.#saidSoFar(),
      onFailure: () => this.#fail(),
    });
  }

  /** The turns of the model as far as they have been heard, the newest last. */
  #saidSoFar() {
    const { view, player } = this.#parts;
    const { transcript } = view;
    const turns = transcript.entries.filter(({ role }) => role === 'model');
    const texts = turns.slice(-TURNS_IN_PICTURE).map((turn) => {
      const { heard, sounding } = transcript.progress(turn, player.aheadMs);
      return heard + sounding;
    });
    return texts.filter((text) => text.trim() !== '');
  }

  async #finish() {
    const recorder = this.#recorder;
    const { tools, name } = this.#parts;
    this.#unlisten.splice(0).forEach((unlisten) => unlisten());
    [this.#input, this.#recorder] = [null, null];
    const blob = (await recorder?.finish()) ?? null;
    if (blob !== null) tools.offer({ blob, name: fileName(name, blob) });
    return blob;
  }

  #do(action) {
    try {
      if (this.#recorder !== null) action(this.#recorder);
    } catch {
      this.#fail();
    }
  }

  /** What has been recorded before is kept. */
  #fail() {
    this.#parts.shell.toaster.warn('call.recording_failed', 'call.recording_failed_hint');
    this.#unlisten.splice(0).forEach((unlisten) => unlisten());
  }
}

/** @returns {string} such as omni-2026-03-09-14-05.webm */
function fileName(page, { type }) {
  const now = new Date();
  const localMs = now.getTime() - now.getTimezoneOffset() * MINUTE_MS;
  const minute = new Date(localMs).toISOString().slice(0, 16).replaceAll(/[T:]/g, '-');
  return `${page}-${minute}.${type.match(/\/(\w+)/)[1]}`;
}
