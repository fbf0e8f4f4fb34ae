/** Notes below the header that stay as long as what they say is true, or until they are closed. */

import { element, icon, iconButton } from './dom.js';

export class Banners {
  #container;
  #shown = new Map();

  constructor(container) {
    this.#container = container;
  }

  /**
   * @param {string} name of the dictionary entry banner.<name>
   * @param {boolean} wanted
   * @param {'info' | 'warning'} [kind]
   */
  toggle(name, wanted, kind = 'info') {
    if (wanted === this.#shown.has(name)) return;
    if (wanted) this.#show(name, kind);
    else this.#hide(name);
  }

  /**
   * A note that is not taken back.
   * @param {HTMLElement} text @param {'info' | 'warning'} kind @returns {HTMLElement}
   */
  add(text, kind) {
    const role = kind === 'warning' ? 'alert' : 'status';
    const symbol = icon(kind === 'warning' ? 'alert' : 'info');
    const banner = element('div', { class: `banner ${kind}`, role }, symbol, text);
    this.#container.append(banner);
    return banner;
  }

  /** @param {string} name as for toggle @param {() => void} onClose */
  addClosable(name, onClose) {
    const banner = this.add(text(name), 'info');
    const close = () => {
      banner.remove();
      onClose();
    };
    banner.append(iconButton('close', 'action.close', close));
  }

  #show(name, kind) {
    this.#shown.set(name, this.add(text(name), kind));
  }

  #hide(name) {
    this.#shown.get(name).remove();
    this.#shown.delete(name);
  }
}

function text(name) {
  return element('p', { i18n: `banner.${name}` });
}
