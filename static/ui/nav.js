/** The header every page has: modes, health badge, language and theme. */

import { localize, localizeLabel, translator } from '../i18n/index.js';
import { appNameKey } from './apps.js';
import { element, icon, iconButton, setIcon } from './dom.js';
import { HealthBadge } from './health-badge.js';

const THEME_ICONS = { auto: 'contrast', light: 'sun', dark: 'moon' };

export class SiteHeader {
  #current;
  #list = element('ul');
  #nav = element('nav', { id: 'site-nav', class: 'site-nav', named: 'nav.pages' }, this.#list);
  #menuButton;

  /**
   * @param {HTMLElement} container
   * @param {{current: string, theme: import('./theme.js').Theme, onFaq?: ?() => void}} options
   *   `current`: route; `onFaq`: opens questions and answers, where there are any
   */
  constructor(container, { current, theme, onFaq = null }) {
    this.#current = current;
    this.health = new HealthBadge();
    this.#menuButton = iconButton('menu', 'nav.menu', () => this.#toggleMenu(), {
      class: 'icon-button menu-button',
      'aria-expanded': 'false',
      'aria-controls': 'site-nav',
    });
    const tools = element('div', { class: 'header-tools' });
    if (onFaq !== null) tools.append(iconButton('help', 'nav.faq', onFaq));
    tools.append(languageButton(), themeButton(theme), this.#menuButton);
    container.append(brand(), this.#nav, this.health.element, tools);
    container.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#open) return;
      event.stopPropagation();
      this.#toggleMenu();
    });
    this.setApps([]);
  }

  /** @param {{app_id: string, name: string, route: string}[]} apps */
  setApps(apps) {
    const links = [pageLink('/', 'nav.home', '', this.#current)];
    for (const { app_id: id, name, route } of apps) {
      links.push(pageLink(route, appNameKey(id), name, this.#current));
    }
    this.#list.replaceChildren(...links);
  }

  get #open() {
    return this.#menuButton.getAttribute('aria-expanded') === 'true';
  }

  #toggleMenu() {
    this.#menuButton.setAttribute('aria-expanded', String(!this.#open));
    this.#nav.toggleAttribute('data-open', this.#open);
    if (!this.#open) this.#menuButton.focus();
  }
}

function brand() {
  const name = element('span', { text: 'MiniCPM-o ' }, element('b', { text: '4.5' }));
  return element('a', { class: 'brand', href: '/' }, icon('logo'), name);
}

function pageLink(route, nameKey, name, current) {
  const link = element('a', { href: route, 'aria-current': route === current && 'page' });
  if (nameKey === null) link.textContent = name;
  else localize(link, nameKey);
  return element('li', {}, link);
}

function languageButton() {
  const change = () => translator.choose(translator.language === 'zh' ? 'en' : 'zh');
  const button = element('button', { type: 'button', class: 'icon-button', onclick: change });
  button.append(element('span', { i18n: 'nav.language_short' }));
  localizeLabel(button, 'nav.language');
  return button;
}

function themeButton(theme) {
  const button = iconButton(THEME_ICONS[theme.choice], `theme.${theme.choice}`, () => {
    const choice = theme.next();
    setIcon(button.querySelector('svg'), THEME_ICONS[choice]);
    localizeLabel(button, `theme.${choice}`);
  });
  return button;
}
