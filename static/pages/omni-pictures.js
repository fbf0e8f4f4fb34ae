/** The stage of the omni page: preview, camera, video file, and the buttons that go with them. */

import { asFailure, Failure } from '../lib/failure.js';
import { offerFullscreen } from '../ui/fullscreen-button.js';
import { Stage } from '../ui/stage.js';
import { Camera } from '../video/camera.js';
import { openMediaFile } from '../video/video-file.js';
import { CameraPicture, FilePicture } from './call-pictures.js';
import { CameraAbilities } from './camera-abilities.js';

const byId = (id) => document.getElementById(id);

export class OmniPictures {
  #video = byId('picture');
  #stage = new Stage(this.#video, byId('call'));
  #camera;
  #abilities;
  #settings;
  #toaster;
  #fileUrl = null;

  /** @param {{settings: object, toaster: object}} parts */
  constructor({ settings, toaster }) {
    [this.#settings, this.#toaster] = [settings, toaster];
    this.#camera = new Camera({
      onLost: () => {
        this.#stage.clear();
        toaster.failure(new Failure('camera_lost'));
      },
    });
    const [camera, picture, torch] = [this.#camera, this.#video, byId('torch')];
    this.#abilities = new CameraAbilities({ camera, picture, torch, toaster });
    byId('preview').addEventListener('click', () => this.#do(() => this.#openCamera()));
    byId('flip').addEventListener('click', () => this.#flip());
    offerFullscreen(byId('fullscreen'));
    for (const key of ['hd', 'mirror']) {
      byId(key).addEventListener('click', () => settings.set(key, !settings.values[key]));
    }
    settings.on('change', () => this.#showSettings());
    this.#showSettings();
    addEventListener('pagehide', () => this.#camera.close());
  }

  ofCamera() {
    return new CameraPicture({
      camera: this.#camera,
      video: this.#video,
      settings: this.#settings,
      onOpen: () => this.#showCamera(),
    });
  }

  /** @param {number} lengthS of what is used of the file, whole seconds */
  ofFile(lengthS) {
    const { file_head_s: headS, frame_offset: offset } = this.#settings.values;
    return new FilePicture(this.#video, { headS, lengthS, offset });
  }

  /** @param {File} file @returns {Promise<number>} its length in seconds @throws {Failure} */
  async openFile(file) {
    this.#camera.close();
    URL.revokeObjectURL(this.#fileUrl);
    this.#stage.clear();
    const { url, durationS } = await openMediaFile(file, this.#video);
    this.#fileUrl = url;
    this.#stage.showFile();
    return durationS;
  }

  /** @param {'live' | 'file' | 'both'} kind; a file has been opened before it is shown */
  showKind(kind) {
    if (kind === 'live') this.#stage.clear();
    else if (this.#fileUrl !== null) this.#reopenFile();
  }

  #reopenFile() {
    this.#camera.close();
    if (this.#video.src === this.#fileUrl) return;
    this.#video.srcObject = null;
    this.#video.src = this.#fileUrl;
    this.#stage.showFile();
  }

  async #openCamera() {
    await this.#camera.open();
    this.#showCamera();
  }

  #showCamera() {
    const { stream, front } = this.#camera;
    this.#stage.showCamera(stream, { front, mirrored: this.#settings.values.mirror });
    this.#abilities.follow();
    void this.#offerFlip();
  }

  /** Only where there is another camera to turn to. */
  async #offerFlip() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    byId('flip').hidden = devices.filter(({ kind }) => kind === 'videoinput').length < 2;
  }

  async #flip() {
    byId('flip').disabled = true; // cameras take a moment to change
    await this.#do(async () => {
      try {
        await this.#camera.flip();
      } finally {
        if (this.#camera.stream !== null) this.#showCamera();
      }
    });
    byId('flip').disabled = false;
  }

  async #do(action) {
    try {
      await action();
    } catch (error) {
      this.#toaster.failure(asFailure(error));
    }
  }

  #showSettings() {
    const { hd, mirror } = this.#settings.values;
    byId('hd').setAttribute('aria-pressed', String(hd));
    byId('mirror').setAttribute('aria-pressed', String(mirror));
    if (this.#camera.stream !== null) this.#showCamera();
  }
}
