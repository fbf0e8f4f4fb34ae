/** A button in a row of a table: few words to see, and a name that tells which row it is. */

import { localizeLabel } from '../i18n/index.js';
import { element } from './dom.js';

/**
 * @param {{key: string, nameKey: string, params: object, onclick: () => void,
 *          harmless?: boolean}} options `harmless`: it changes nothing, so everybody may use it
 */
export function rowButton({ key, nameKey, params, onclick, harmless = false }) {
  const text = element('span', { i18n: key });
  const kind = harmless ? 'button' : 'button write';
  const button = element('button', { type: 'button', class: kind, onclick }, text);
  localizeLabel(button, nameKey, params);
  return button;
}
