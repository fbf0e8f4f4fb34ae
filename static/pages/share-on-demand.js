/** Sharing for a page: a button that waits for a recording. The rest loads with the first click. */

import { localizeLabel } from '../i18n/index.js';
import { Failure } from '../lib/failure.js';

export class ShareOnDemand {
  #button;
  #parts;
  #id = null;
  #controller = null;

  /**
   * @param {{button: HTMLButtonElement, appType: string, storage: object, toaster: object,
   *          noteKey?: string, recording?: () => Promise<?Blob>}} parts `appType` as recordings have
   *   it; `noteKey`: what else is to be known, of the words of sharing; `recording`: what the page
   *   has recorded itself
   */
  constructor({ button, ...parts }) {
    [this.#button, this.#parts] = [button, parts];
    button.addEventListener('click', () => this.#open());
    this.offer(null);
  }

  /** @param {?string} id of the recording that can be shared now; null for none */
  offer(id) {
    this.#id = id;
    this.#button.disabled = id === null;
    localizeLabel(this.#button, id === null ? 'share.none_yet' : 'share.button');
  }

  async #open() {
    const id = this.#id;
    try {
      this.#controller ??= await this.#load();
    } catch (error) {
      this.#parts.toaster.failure(new Failure('unreachable', { cause: error }));
      return;
    }
    await this.#controller.open(id);
  }

  async #load() {
    const { openSharing } = await import('./share-controller.js');
    return openSharing(this.#parts);
  }
}
