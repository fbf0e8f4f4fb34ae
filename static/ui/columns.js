/** Columns that several tables of the dashboard have. */

import { clockText } from '../lib/clock-text.js';
import { stampText } from '../lib/number-text.js';
import { requestTypeText } from './request-type.js';
import { rowButton } from './row-button.js';

const NONE = '–';

export function textColumn(titleKey, field, options) {
  const value = (row) => row[field] || null;
  return { titleKey, value, cell: (row) => value(row) ?? NONE, long: true, ...options };
}

export function typeColumn(field, options) {
  const cell = (row) => requestTypeText(row[field]);
  return { titleKey: 'admin.column.type', value: (row) => row[field], cell, ...options };
}

/** Seconds, as minutes and seconds. */
export function timeColumn(titleKey, field, options) {
  const value = (row) => row[field] ?? null;
  const cell = (row) => (value(row) === null ? NONE : clockText(value(row)));
  return { titleKey, value, cell, numeric: true, ...options };
}

/** A moment by the clock of the server. @param {(stamp: ?string) => string} [text] */
export function stampColumn(titleKey, field, text = stampText) {
  const cell = (row) => text(row[field] ?? null);
  return { titleKey, value: (row) => row[field], cell, long: true, minor: true };
}

/**
 * @param {(row: object) => unknown} stamp the button is made anew when this changes
 * @param {(row: object) => ?object} optionsOf see row-button.js; null for no button
 */
export function actionColumn(stamp, optionsOf) {
  const build = (row) => {
    const options = optionsOf(row);
    return options && rowButton(options);
  };
  return { titleKey: 'admin.column.action', value: stamp, build, unsorted: true, pinned: true };
}
