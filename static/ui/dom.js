/** Building elements without markup strings. */

import { localize, localizeLabel, localizeName } from '../i18n/index.js';

const ICONS_URL = '/static/img/icons.svg';
const SVG = 'http://www.w3.org/2000/svg';

/**
 * Attributes beside the usual ones: `text` (plain), `on…` listeners, and with dictionary keys
 * `i18n` (text), `label` (name and tooltip; both take `params`) and `named` (name). False and null
 * leave an attribute out.
 *
 * @param {string} tag @param {object} attributes @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const { text, i18n, label, named, params, ...rest } = attributes;
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  if (text !== undefined) node.textContent = text;
  if (i18n !== undefined) localize(node, i18n, params);
  if (label !== undefined) localizeLabel(node, label, params);
  if (named !== undefined) localizeName(node, named);
  node.append(...children);
  return node;
}

/** @param {string} name symbol in icons.svg */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'use'));
  setIcon(svg, name);
  return svg;
}

export function setIcon(svg, name) {
  svg.querySelector('use').setAttribute('href', `${ICONS_URL}#${name}`);
}

/** A square button that shows an icon and says its name. */
export function iconButton(name, label, onclick, { params, ...attributes } = {}) {
  const options = { type: 'button', class: 'icon-button', label, params, onclick, ...attributes };
  return element('button', options, icon(name));
}
