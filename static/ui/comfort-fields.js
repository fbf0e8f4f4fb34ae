/** The fields of the settings that all pages of calls share, built from their declaration. */

import { element } from './dom.js';

const STEP_PERCENT = 5;

/** @param {object[]} fields as state/settings.js declares them @returns {HTMLElement[]} */
export function comfortFields(fields) {
  return fields.map((field) => BUILDERS[field.type](field));
}

const BUILDERS = {
  choice: ({ key, options }) => {
    const choices = options.map((value) =>
      element('option', { value, i18n: `comfort.${key}.${value}` }),
    );
    const select = element('select', { ...inputOf(key) }, ...choices);
    return element('div', { class: 'field' }, label(key), select, help(key));
  },
  number: ({ key, min, max }) => {
    const range = { type: 'range', min: String(min), max: String(max), step: STEP_PERCENT };
    const output = element('output', { for: key });
    const name = element('label', { for: key }, element('span', { i18n: `comfort.${key}` }), ' ', output);
    return element('div', { class: 'field' }, name, element('input', { ...inputOf(key), ...range }), help(key));
  },
  boolean: ({ key }) => {
    const toggle = element('input', { ...inputOf(key), type: 'checkbox', role: 'switch' });
    return element('div', { class: 'field switch-field' }, toggle, label(key), help(key));
  },
};

function inputOf(key) {
  return { id: key, name: key, 'aria-describedby': `${key}-help` };
}

function label(key) {
  return element('label', { for: key, i18n: `comfort.${key}` });
}

function help(key) {
  return element('p', { id: `${key}-help`, class: 'help', i18n: `comfort.${key}_help` });
}
