/** The tokens as css/tokens.css has them: read from the style itself, so that nothing is told twice. */

import { element } from '../ui/dom.js';

const TOKENS_FILE = 'css/tokens.css';
const PAIR = /^light-dark\(\s*(#\w+|rgb\([^)]*\))\s*,\s*(#\w+|rgb\([^)]*\))\s*\)$/;

export function showTokens() {
  const tokens = readTokens();
  const show = (id, kept, build) => {
    const found = tokens.filter(({ name }) => kept.test(name));
    document.getElementById(id).append(...found.map(build));
  };
  document.getElementById('colours').append(...tokens.filter(({ pair }) => pair).map(swatch));
  show('sizes', /^--space-/, (token) => specimen(token, 'space-bar', 'width'));
  show('corners', /^--radius/, (token) => specimen(token, 'corner', 'border-radius'));
  show('type', /^--text/, (token) => specimen(token, 'type-line', 'font-size'));
}

/** @returns {{name: string, value: string, pair: ?string[]}[]} `pair`: in light, in dark */
function readTokens() {
  const sheet = [...document.styleSheets].find(({ href }) => href?.endsWith(TOKENS_FILE));
  const { style } = [...sheet.cssRules].find(({ selectorText }) => selectorText === ':root');
  const names = [...style].filter((name) => name.startsWith('--'));
  return names.map((name) => {
    const value = style.getPropertyValue(name).trim().replaceAll(/\s+/g, ' ');
    return { name, value, pair: PAIR.exec(value)?.slice(1) ?? null };
  });
}

/** A colour in both themes, whatever the page's own is. */
function swatch({ name, pair }) {
  const halves = ['light', 'dark'].map((theme) => {
    const half = element('span', { class: `swatch-half in-${theme}` });
    half.style.setProperty('background-color', `var(${name})`);
    return half;
  });
  const picture = element('div', { class: 'swatch-picture', 'aria-hidden': 'true' }, ...halves);
  const values = pair.map((value) => element('span', { text: value }));
  return entry(name, picture, element('p', { class: 'token-value' }, ...values));
}

/** Something of which one property has the token's value. */
function specimen({ name, value }, className, property) {
  const picture = element('div', { class: className, 'aria-hidden': 'true' });
  if (property === 'font-size') picture.append(element('span', { text: 'MiniCPM-o 会看会听' }));
  picture.style.setProperty(property, `var(${name})`);
  return entry(name, picture, element('p', { class: 'token-value', text: value }));
}

function entry(name, ...content) {
  return element('li', { class: 'token' }, ...content, element('code', { text: name }));
}
