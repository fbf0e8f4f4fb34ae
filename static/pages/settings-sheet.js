/** The settings of a page: their form, the way back to the defaults, and the word on recording. */

import { ConsentSwitch } from '../ui/consent-switch.js';
import { closeOnBackdrop, confirmInDialog } from '../ui/dialog.js';
import { bindSettingsForm } from '../ui/settings-form.js';

const byId = (id) => document.getElementById(id);

export class SettingsSheet {
  #dialog = byId('settings');
  #shell;
  #settings;
  #onReset;
  #consentSwitch = null;

  /**
   * @param {{shell: object, settings: import('../state/settings.js').SettingsStore,
   *          onReset?: () => void}} parts
   */
  constructor({ shell, settings, onReset = () => {} }) {
    [this.#shell, this.#settings, this.#onReset] = [shell, settings, onReset];
    closeOnBackdrop(this.#dialog);
    bindSettingsForm(this.#dialog.querySelector('form'), settings);
    byId('reset-settings').addEventListener('click', () => this.#reset());
    void this.#offerConsent();
  }

  open() {
    this.#consentSwitch?.refresh();
    this.#dialog.showModal();
  }

  /** Only where the service records. */
  async #offerConsent() {
    const { consent, defaults } = this.#shell;
    const { recording } = await defaults;
    if (recording) this.#consentSwitch = new ConsentSwitch(byId('record-field'), consent);
  }

  async #reset() {
    const agreed = await confirmInDialog({
      titleKey: 'settings.reset_question',
      textKey: 'settings.reset_text',
      confirmKey: 'settings.reset',
    });
    if (!agreed) return;
    this.#settings.reset();
    this.#onReset();
    this.#shell.toaster.news('settings.reset_done');
  }
}
