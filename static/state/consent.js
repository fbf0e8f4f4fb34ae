/** Whether the visitor lets the service record what is said: asked once, kept in the browser. */

const KEY = 'minicpmo_recording';
const ANSWERS = { yes: true, no: false };

export class RecordingConsent {
  #storage;
  #unstored = null;

  /** @param {import('./storage.js').SafeStorage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @returns {?boolean} null until there is one; other tabs count, too */
  get answer() {
    return ANSWERS[this.#storage.getText(KEY)] ?? this.#unstored;
  }

  /** Whether requests may say so; without an answer they may not. */
  get given() {
    return this.answer === true;
  }

  /** @param {boolean} given */
  keep(given) {
    this.#unstored = given; // where nothing can be stored, it holds as long as the page
    this.#storage.setText(KEY, given ? 'yes' : 'no');
  }

  /** No, until the page is opened again. */
  declineForNow() {
    this.#unstored = false;
  }
}
