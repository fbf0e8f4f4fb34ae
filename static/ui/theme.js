/** Light, dark, or as the system says. */

const STORAGE_KEY = 'minicpmo_theme';
const ORDER = ['auto', 'light', 'dark'];

export class Theme {
  #root;
  #storage;

  /** @param {HTMLElement} root carries the choice as `data-theme` */
  constructor(root, storage) {
    this.#root = root;
    this.#storage = storage;
    const stored = storage.getText(STORAGE_KEY);
    this.choice = ORDER.includes(stored) ? stored : 'auto';
    this.#apply();
  }

  /** @returns {string} the choice after this one */
  next() {
    this.choice = ORDER[(ORDER.indexOf(this.choice) + 1) % ORDER.length];
    this.#storage.setText(STORAGE_KEY, this.choice);
    this.#apply();
    return this.choice;
  }

  #apply() {
    if (this.choice === 'auto') delete this.#root.dataset.theme;
    else this.#root.dataset.theme = this.choice;
  }
}
