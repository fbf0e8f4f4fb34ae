/** The recordings this browser has shared, on the start page. */

import { localizeName, translator } from '../i18n/index.js';
import { element, icon } from './dom.js';
import { typeBadge } from './type-badge.js';

/**
 * @param {HTMLElement} section @param {import('../state/recent.js').RecentSessions} recent
 */
export function showRecent(section, recent) {
  const clear = () => {
    recent.clear();
    section.hidden = true;
  };
  const list = element('ul', { class: 'recent-list' });
  const button = { type: 'button', class: 'button quiet-button', i18n: 'recent.clear', onclick: clear };
  section.replaceChildren(
    element('div', { class: 'section-head' },
      element('h2', { i18n: 'recent.title' }), element('button', button)),
    list,
    element('p', { class: 'quiet', i18n: 'recent.help' }),
  );
  const showRows = () => list.replaceChildren(...recent.list.map(row));
  showRows();
  localizeName(section, 'recent.title');
  section.hidden = false;
  new MutationObserver(showRows).observe(document.documentElement, { attributeFilter: ['lang'] });
}

function row({ id, appType, savedAt }) {
  const date = new Date(savedAt);
  const format = new Intl.DateTimeFormat(translator.language, { dateStyle: 'medium', timeStyle: 'short' });
  const link = { class: 'recent-row', href: `/s/${encodeURIComponent(id)}`, target: '_blank' };
  return element('li', {},
    element('a', link, typeBadge(appType),
      element('span', { class: 'recent-id', text: id }),
      element('time', { datetime: date.toISOString(), text: format.format(date) }), icon('right')));
}
