/** The pictures of an omni call: from the camera, or from a video file. */

import { FrameGrabber } from '../video/frame-grabber.js';
import { load, seek } from '../video/video-file.js';

const PICTURES_AHEAD = 2;
const PICTURE_LIMIT_MS = 1000; // the sound of the second must not wait longer

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

/**
 * What a video file shows: for each second of it the picture at one moment of that second, before
 * it the first and after it the last. Pictures are fetched two ahead from a second player, since
 * going to a moment takes time.
 */
export class FilePicture {
  #shown;
  #timing;
  #source = document.createElement('video');
  #grabber = new FrameGrabber(this.#source);
  #coming = []; // promises of pictures
  #fetched = { timeS: null, picture: null };
  #fetching = Promise.resolve();
  #asked = 0; // pictures that are fetched or being fetched
  #given = 0;

  /**
   * @param {HTMLVideoElement} shown in which the file is open
   * @param {{headS: number, lengthS: number, offset: number}} timing in whole seconds but for
   *   `offset`, the moment within each second; the file begins after `headS`
   */
  constructor(shown, timing) {
    [this.#shown, this.#timing] = [shown, timing];
    this.#source.muted = true;
  }

  async open() {
    this.#shown.pause();
    this.#shown.currentTime = 0;
    await load(this.#source, this.#shown.src);
    for (let count = 0; count < PICTURES_AHEAD; count += 1) this.#fetchNext();
  }

  /** The visitor sees it play from when the model does. */
  start() {
    const { headS, lengthS } = this.#timing;
    if (this.#given >= headS && this.#given < headS + lengthS) void this.#shown.play();
  }

  pause() {
    this.#shown.pause();
  }

  close() {
    this.#shown.pause();
    this.#source.removeAttribute('src');
  }

  grab() {
    this.#fetchNext();
    this.#given += 1;
    const { headS, lengthS } = this.#timing;
    if (this.#given === headS) this.start();
    if (this.#given === headS + lengthS) this.pause();
    const late = new Promise((resolve) => setTimeout(resolve, PICTURE_LIMIT_MS, null));
    return Promise.race([this.#coming.shift(), late]);
  }

  #fetchNext() {
    const timeS = this.#timeOf(this.#asked);
    this.#asked += 1;
    this.#fetching = this.#fetching.then(() => this.#fetch(timeS));
    this.#coming.push(this.#fetching);
  }

  async #fetch(timeS) {
    if (this.#fetched.timeS !== timeS) {
      await seek(this.#source, timeS);
      this.#fetched = { timeS, picture: await this.#grabber.grab({ mirrored: false }) };
    }
    return this.#fetched.picture;
  }

  #timeOf(index) {
    const { headS, lengthS, offset } = this.#timing;
    const second = index - headS;
    if (second < 0) return 0;
    return Math.min(second < lengthS ? second + offset : lengthS, this.#source.duration || lengthS);
  }
}
