/** How the modes of the service are called and drawn; unknown ones keep the server's name. */

import { translator } from '../i18n/index.js';
import { element, icon } from './dom.js';

const ICONS = {
  turnbased: 'chat',
  half_duplex_audio: 'wave',
  omni: 'camera',
  audio_duplex: 'call',
};

/** @returns {?string} dictionary key of an app's name */
export function appNameKey(id) {
  const key = `app.${id}.name`;
  return translator.has(key) ? key : null;
}

/** @returns {{i18n: string} | {text: string}} of an app's name, as `element` takes them */
export function appName({ app_id: id, name }) {
  const key = appNameKey(id);
  return key === null ? { text: name } : { i18n: key };
}

/** A card that leads to one mode. */
export function appCard({ app_id: id, name, route }) {
  return element(
    'li',
    {},
    element(
      'a',
      { class: 'mode-card', href: route },
      element('span', { class: 'mode-icon' }, icon(ICONS[id] ?? 'grid')),
      element('h3', appName({ app_id: id, name })),
      element('p', { i18n: appNameKey(id) === null ? 'app.other.text' : `app.${id}.text` }),
      element('span', { class: 'enter' }, element('span', { i18n: 'app.enter' }), icon('right')),
    ),
  );
}
