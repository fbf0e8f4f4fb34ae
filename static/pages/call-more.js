/** Words and looks of what is opened in calls; a module of its own, so that they load with it. */

import { translator } from '../i18n/index.js';
import { useStylesheet } from '../ui/stylesheet.js';

const WORDS = {
  en: () => import('../i18n/call-more-en.js'),
  zh: () => import('../i18n/call-more-zh.js'),
};

export function loadMore() {
  return Promise.all([translator.add(WORDS), useStylesheet('call-more')]);
}
