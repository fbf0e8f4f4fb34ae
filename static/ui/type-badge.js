/** What kind of session a recording is of. */

import { appNameKey } from './apps.js';
import { element } from './dom.js';

const APP_OF_TYPE = {
  chat: 'turnbased',
  streaming: 'turnbased',
  half_duplex_audio: 'half_duplex_audio',
  audio_duplex: 'audio_duplex',
  omni_duplex: 'omni',
};

/** @param {string} type such as `chat` */
export function typeBadge(type) {
  const key = appNameKey(APP_OF_TYPE[type] ?? '');
  return element('span', { class: 'badge', ...(key === null ? { text: type } : { i18n: key }) });
}
