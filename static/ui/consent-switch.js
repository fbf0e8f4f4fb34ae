/** The line of the settings in which the answer about recording can be changed. */

import { element } from './dom.js';

export class ConsentSwitch {
  #input = element('input', {
    id: 'record',
    type: 'checkbox',
    role: 'switch',
    'aria-describedby': 'record-help',
  });
  #consent;

  /**
   * @param {HTMLElement} container hidden until it is filled
   * @param {import('../state/consent.js').RecordingConsent} consent
   */
  constructor(container, consent) {
    this.#consent = consent;
    this.#input.addEventListener('change', () => consent.keep(this.#input.checked));
    container.append(
      this.#input,
      element('label', { for: 'record', i18n: 'consent.setting' }),
      element('p', { id: 'record-help', class: 'help', i18n: 'consent.setting_help' }),
    );
    container.hidden = false;
    this.refresh();
  }

  /** The question, or another tab, may have been answered since. */
  refresh() {
    this.#input.checked = this.#consent.given;
  }
}
