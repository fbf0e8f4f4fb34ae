/** The pictures of an omni call: from the camera, or from a video file. */

import { FrameGrabber } from '../video/frame-grabber.js';

/** What the camera sees; it stays open for the preview when the call is over. */
export class CameraPicture {
  #grabber;
  #parts;

  /**
   * @param {{camera: import('../video/camera.js').Camera, video: HTMLVideoElement,
   *          settings: object, onOpen: () => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    this.#grabber = new FrameGrabber(parts.video);
  }

  async open() {
    await this.#parts.camera.open();
    this.#parts.onOpen();
  }

  start() {}

  pause() {}

  close() {}

  grab() {
    if (this.#parts.camera.stream === null) return null;
    return this.#grabber.grab({ mirrored: this.#parts.settings.values.mirror });
  }
}

/** What a video file shows while it is played. */
export class FilePicture {
  #video;
  #grabber;

  /** @param {HTMLVideoElement} video in which the file is open */
  constructor(video) {
    this.#video = video;
    this.#grabber = new FrameGrabber(video);
  }

  async open() {
    this.#video.pause();
    this.#video.currentTime = 0;
  }

  start() {
    if (!this.#video.ended) void this.#video.play();
  }

  pause() {
    this.#video.pause();
  }

  close() {
    this.#video.pause();
  }

  /** After its end the last picture stands still. */
  grab() {
    return this.#grabber.grab({ mirrored: false });
  }
}
