/** Choosing what the model hears and sees: devices, a file, or both. */

import { localize } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
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

  /** @param {?{name: string, lengthS: number}} file null for none; `lengthS` of what is used */
  showFile(file) {
    const time = clockText(Math.round(file?.lengthS ?? 0));
    if (file === null) localize(this.#name, 'call.choose_file');
    else localize(this.#name, 'call.file', { name: file.name, time });
  }

  /** @param {string} name of the file that is being read */
  showPreparing(name) {
    localize(this.#name, 'call.file_preparing', { name });
  }

  #showKind() {
    this.#button.hidden = this.kind === 'live';
    this.emit('kind', this.kind);
  }
}
