/** What cameras of some phones can do beside: give light, and come closer with two fingers. */

import { asFailure } from '../lib/failure.js';
import { Pinch } from '../ui/pinch.js';

export class CameraAbilities {
  #parts;
  #zoom = null; // {min, max} of the camera that is open
  #startZoom = 1;
  #adjusting = Promise.resolve();

  /**
   * @param {{camera: import('../video/camera.js').Camera, torch: HTMLButtonElement,
   *          picture: HTMLElement, toaster: object}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    const { camera, torch, picture } = parts;
    torch.addEventListener('click', () => this.#light(camera.settings.torch !== true));
    const pinch = new Pinch(picture);
    pinch.on('start', () => {
      this.#startZoom = camera.settings.zoom ?? 1;
    });
    pinch.on('move', ({ factor }) => this.#comeCloser(factor));
  }

  /** Call it whenever a camera is shown. */
  follow() {
    const { camera, torch, picture } = this.#parts;
    const { torch: hasTorch, zoom } = camera.abilities;
    this.#zoom = zoom;
    torch.hidden = !hasTorch;
    torch.setAttribute('aria-pressed', String(camera.settings.torch === true));
    picture.toggleAttribute('data-zooms', zoom !== null);
  }

  async #light(on) {
    const { camera, torch, toaster } = this.#parts;
    try {
      await camera.adjust({ torch: on });
      torch.setAttribute('aria-pressed', String(on));
    } catch (error) {
      toaster.failure(asFailure(error));
    }
  }

  /** One step after the other; a step that the camera refuses changes nothing that is seen. */
  #comeCloser(factor) {
    if (this.#zoom === null) return;
    const { min, max } = this.#zoom;
    const zoom = Math.min(max, Math.max(min, this.#startZoom * factor));
    const stay = () => {};
    this.#adjusting = this.#adjusting.then(() => this.#parts.camera.adjust({ zoom }).catch(stay));
  }
}
