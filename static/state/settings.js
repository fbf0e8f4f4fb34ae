/**
 * The settings of one page: declared fields, checked values, kept in the browser.
 *
 * A field is {key, type: 'boolean' | 'number' | 'text' | 'choice', default, min?, max?, step?,
 * maxLength?, options?}.
 * Whatever does not pass its field's check, wherever it comes from, is not taken.
 */

import { Emitter } from '../lib/emitter.js';

const SAVE_DELAY_MS = 300;

/** Event: `change` with all values. */
export class SettingsStore extends Emitter {
  #name;
  #version;
  #storage;
  #values;
  #saveTimer = null;

  /**
   * @param {string} name key in the browser's store
   * @param {number} version kept as `v`; values kept under another version are not read
   * @param {object[]} fields
   * @param {import('./storage.js').SafeStorage} storage
   */
  constructor(name, version, fields, storage) {
    super();
    this.#name = name;
    this.#version = version;
    this.fields = fields;
    this.#storage = storage;
    const stored = storage.getJson(name);
    this.#values = { ...defaultsOf(fields), ...this.#accepted(stored?.v === version ? stored : {}) };
  }

  /** A copy of all values. */
  get values() {
    return { ...this.#values };
  }

  /** @returns {boolean} whether the value was taken */
  set(key, value) {
    const accepted = this.#accepted({ [key]: value });
    if (!(key in accepted)) return false;
    this.#change({ ...this.#values, ...accepted });
    this.#saveSoon();
    return true;
  }

  reset() {
    clearTimeout(this.#saveTimer);
    this.#storage.remove(this.#name);
    this.#change(defaultsOf(this.fields));
  }

  /** Writes at once what is still waiting to be written. */
  flush() {
    clearTimeout(this.#saveTimer);
    this.#storage.setJson(this.#name, { v: this.#version, ...this.#values });
  }

  #saveSoon() {
    clearTimeout(this.#saveTimer);
    this.#saveTimer = setTimeout(() => this.flush(), SAVE_DELAY_MS);
  }

  #change(values) {
    this.#values = values;
    this.emit('change', this.values);
  }

  #accepted(values) {
    const known = this.fields.filter(({ key }) => Object.hasOwn(values, key));
    const valid = known.filter((field) => isValid(field, values[field.key]));
    return Object.fromEntries(valid.map(({ key }) => [key, values[key]]));
  }
}

function defaultsOf(fields) {
  return Object.fromEntries(fields.map((field) => [field.key, field.default]));
}

function isValid(field, value) {
  if (field.type === 'choice') return field.options.includes(value);
  if (field.type === 'boolean') return typeof value === 'boolean';
  if (field.type === 'text') return typeof value === 'string' && value.length <= field.maxLength;
  if (!Number.isFinite(value) || value < field.min || value > field.max) return false;
  return field.step !== 1 || Number.isInteger(value);
}
