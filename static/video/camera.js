/** The camera: opened for the preview, kept for the call, turned around on phones. */

import { Failure } from '../lib/failure.js';

const OPPOSITE = { user: 'environment', environment: 'user' };
const FAILURE_CODES = {
  NotAllowedError: 'camera_denied',
  SecurityError: 'camera_denied',
  NotFoundError: 'camera_missing',
  OverconstrainedError: 'camera_missing',
  NotReadableError: 'camera_busy',
};

export class Camera {
  #browser;
  #onLost;
  stream = null;
  facing = 'user';

  /** @param {{onLost: () => void}} handlers `onLost`: it was unplugged @param {object} [browser] */
  constructor({ onLost }, browser = globalThis) {
    [this.#onLost, this.#browser] = [onLost, browser];
  }

  /** Whether the picture comes from the side of the screen; unknown counts as that side. */
  get front() {
    return (this.settings.facingMode ?? this.facing) !== 'environment';
  }

  /** What can be changed of it. @returns {{torch: boolean, zoom: ?{min: number, max: number}}} */
  get abilities() {
    const { torch = false, zoom = null } = this.#track?.getCapabilities?.() ?? {};
    return { torch, zoom };
  }

  /** How it is set, as far as the browser tells. @returns {MediaTrackSettings} */
  get settings() {
    return this.#track?.getSettings() ?? {};
  }

  /** @param {{torch: boolean} | {zoom: number}} change @throws {DOMException} it cannot */
  async adjust(change) {
    await this.#track?.applyConstraints({ advanced: [change] });
  }

  /** Opens it unless it is open. @returns {Promise<MediaStream>} @throws {Failure} */
  async open() {
    this.stream ??= await this.#open(this.facing);
    return this.stream;
  }

  /**
   * Changes sides; phones need the one camera closed before they open the other. Should that fail,
   * the old one comes back.
   * @returns {Promise<MediaStream>} @throws {Failure}
   */
  async flip() {
    this.close();
    try {
      this.stream = await this.#open(OPPOSITE[this.facing]);
      this.facing = OPPOSITE[this.facing];
    } catch (error) {
      this.stream = await this.#open(this.facing);
      throw error;
    }
    return this.stream;
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.stream = null;
  }

  get #track() {
    return this.stream?.getVideoTracks()[0] ?? null;
  }

  async #open(facing) {
    const { isSecureContext, location, navigator } = this.#browser;
    if (!isSecureContext || !navigator.mediaDevices) {
      throw new Failure('insecure_context', { params: { host: location.host } });
    }
    const constraints = { video: { facingMode: { ideal: facing } } };
    const stream = await navigator.mediaDevices.getUserMedia(constraints).catch((error) => {
      const code = FAILURE_CODES[error.name] ?? 'camera_failed';
      throw new Failure(code, { message: error.message, cause: error });
    });
    stream.getVideoTracks()[0].onended = () => {
      this.close();
      this.#onLost();
    };
    return stream;
  }
}
