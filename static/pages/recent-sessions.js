/** The list of shared recordings with its words and styles. Loaded where there are any. */

import { translator } from '../i18n/index.js';
import { showRecent } from '../ui/recent-list.js';
import { useStylesheet } from '../ui/stylesheet.js';

const WORDS = {
  en: () => import('../i18n/recent-en.js'),
  zh: () => import('../i18n/recent-zh.js'),
};

/** @param {HTMLElement} section @param {import('../state/recent.js').RecentSessions} recent */
export async function showRecentSessions(section, recent) {
  await Promise.all([translator.add(WORDS), useStylesheet('badge'), useStylesheet('recent')]);
  showRecent(section, recent);
}
