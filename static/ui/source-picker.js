/** Choosing what the model hears and sees: devices, a file, or both. */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';

/** Events: `kind` ('live' | 'file' | 'both') and `file` (File). */
export class SourcePicker extends Emitter {
  #fieldset;
  #input;
  #button;
  #name;

  /** @param {Document} document holds #sources, #file, #choose-file and #file-name */
  constructor(document) {
    super();
    const byId = (id) => document.getElementById(id);
    [this.#fieldset, this.#input] = [byId('sources'), byId('file')];
    [this.#button, this.#name] = [byId('choose-file'), byId('file-name')];
    this.#fieldset.addEventListener('change', ({ target }) => {
      if (target.name === 'source') this.#showKind();
    });
    this.#input.addEventListener('change', () => {
      const [file] = this.#input.files;
      this.#input.value = '';
      if (file !== undefined) this.emit('file', file);
    });
  }

  get kind() {
    return this.#fieldset.querySelector('input[name="source"]:checked').value;
  }

  choose() {
    this.#input.click();
  }

  /** @param {?string} name of the file, null for none @param {boolean} [preparing] */
  showFile(name, preparing = false) {
    if (name === null) localize(this.#name, 'call.choose_file');
    else localize(this.#name, preparing ? 'call.file_preparing' : 'call.file', { name });
  }

  #showKind() {
    this.#button.hidden = this.kind === 'live';
    this.emit('kind', this.kind);
  }
}
