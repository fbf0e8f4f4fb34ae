/** The picture of an omni call: the camera as a mirror shows it, or a file as it is. */

export class Stage {
  #video;
  #root;

  /** @param {HTMLVideoElement} video @param {HTMLElement} root carries `data-picture` */
  constructor(video, root) {
    [this.#video, this.#root] = [video, root];
    this.clear();
  }

  /**
   * @param {MediaStream} stream
   * @param {{front: boolean, mirrored: boolean}} view `mirrored`: what the model sees is, too
   */
  showCamera(stream, { front, mirrored }) {
    if (this.#video.srcObject !== stream) {
      this.#video.removeAttribute('src');
      this.#video.srcObject = stream;
      void this.#video.play();
    }
    this.#root.dataset.picture = 'camera';
    this.#video.toggleAttribute('data-flipped', front !== mirrored);
  }

  /** The file has been opened in the same video element. */
  showFile() {
    this.#root.dataset.picture = 'file';
    this.#video.removeAttribute('data-flipped');
  }

  clear() {
    this.#video.srcObject = null;
    this.#video.removeAttribute('src');
    this.#video.load();
    this.#root.dataset.picture = 'none';
  }
}
