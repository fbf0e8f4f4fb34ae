/**
 * The words of the pages in two languages, changed live.
 *
 * Text in the document carries its dictionary key: `data-i18n` for an element's text,
 * `data-i18n-attr="name:key;name:key"` for attributes, `data-i18n-params` for values to fill in. A
 * change of language renders the whole document again from these. Only the dictionary in use is
 * loaded. A page may bring words of its own, which also replace common ones; what is loaded when
 * it is needed adds its words then.
 */

const STORAGE_KEY = 'minicpmo_lang';
const FALLBACK = 'zh';
const DICTIONARIES = { en: () => import('./en.js'), zh: () => import('./zh.js') };

class Translator {
  language = FALLBACK;
  #words = {};
  #sources = [DICTIONARIES]; // the later ones count
  #adding = null;
  #wanted = FALLBACK; // the language whose words are being loaded, or are here
  #document = null;
  #storage = null;
  #chosen = false; // by the address or by the visitor, rather than guessed

  /**
   * Picks the language: address, then stored choice, then the browser's, then Chinese.
   * @param {{document: Document, location: Location, navigator: Navigator,
   *          storage: import('../state/storage.js').SafeStorage,
   *          pageWords?: Record<string, () => Promise<object>>}} surroundings `pageWords`: modules
   *   with the words of the page, by language
   * @returns {Promise<void>} when the words are there
   */
  start({ document, location, navigator, storage, pageWords = {} }) {
    this.#document = document;
    this.#storage = storage;
    this.#sources = [DICTIONARIES, pageWords];
    const asked = new URLSearchParams(location.search).get('lang');
    const chosen = [asked, storage.getText(STORAGE_KEY)].find(isLanguage);
    this.#chosen = chosen !== undefined;
    return this.#apply(chosen ?? [navigator.language?.slice(0, 2)].find(isLanguage) ?? FALLBACK);
  }

  /** The visitor's choice, remembered. */
  choose(language) {
    this.#chosen = true;
    this.#storage.setText(STORAGE_KEY, language);
    return this.#apply(language);
  }

  /** The server's default counts only where nobody has chosen. */
  async suggest(language) {
    if (!this.#chosen && isLanguage(language)) await this.#apply(language);
  }

  /**
   * More words, which do not replace any.
   * @param {Record<string, () => Promise<object>>} source modules by language
   * @returns {Promise<void>} when they are there
   */
  add(source) {
    if (!this.#sources.includes(source)) {
      this.#sources = [source, ...this.#sources];
      this.#adding = this.#apply(this.#wanted);
    }
    return this.#adding;
  }

  has(key) {
    return Object.hasOwn(this.#words, key);
  }

  /** @param {string} key @param {object} [params] @returns {string} */
  t(key, params = {}) {
    const entry = this.#words[key];
    const template = typeof entry === 'object' ? this.#pluralForm(entry, params.count) : entry;
    return template.replaceAll(/\{(\w+)\}/g, (_, name) => this.#format(params[name]));
  }

  #pluralForm(forms, count) {
    return forms[new Intl.PluralRules(this.language).select(count)] ?? forms.other;
  }

  #format(value) {
    return typeof value === 'number' ? new Intl.NumberFormat(this.language).format(value) : value;
  }

  async #apply(language) {
    const sources = this.#sources;
    this.#wanted = language;
    const modules = await Promise.all(sources.map((source) => source[language]?.()));
    if (language !== this.#wanted || sources !== this.#sources) return this.#apply(this.#wanted);
    this.#words = Object.assign({}, ...modules.map((words) => words?.default));
    this.language = language;
    this.#document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
    render(this.#document);
  }
}

/** The one translator of a page. */
export const translator = new Translator();

/** @see Translator#t */
export const t = (key, params) => translator.t(key, params);

/** Sets an element's text to a dictionary entry, now and after every change of language. */
export function localize(element, key, params = {}) {
  element.dataset.i18n = key;
  if (Object.keys(params).length > 0) element.dataset.i18nParams = JSON.stringify(params);
  else delete element.dataset.i18nParams;
  const text = t(key, params);
  if (element.textContent !== text) element.textContent = text;
}

/** Names a control for screen readers and as a tooltip. */
export function localizeLabel(element, key, params) {
  localizeAttributes(element, `aria-label:${key};title:${key}`, params);
}

/** Names a part of the page for screen readers. */
export function localizeName(element, key) {
  localizeAttributes(element, `aria-label:${key}`);
}

/** Sets attributes to dictionary entries: `pairs` is `name:key;name:key`. */
export function localizeAttributes(element, pairs, params = {}) {
  element.dataset.i18nAttr = pairs;
  if (Object.keys(params).length > 0) element.dataset.i18nParams = JSON.stringify(params);
  renderAttributes(element);
}

/** Renders every marked element below `root` in the current language. */
export function render(root) {
  for (const element of root.querySelectorAll('[data-i18n]')) {
    localize(element, element.dataset.i18n, paramsOf(element));
  }
  for (const element of root.querySelectorAll('[data-i18n-attr]')) renderAttributes(element);
}

function renderAttributes(element) {
  for (const pair of element.dataset.i18nAttr.split(';')) {
    const [name, key] = pair.split(':');
    element.setAttribute(name, t(key, paramsOf(element)));
  }
}

function paramsOf(element) {
  return JSON.parse(element.dataset.i18nParams ?? '{}');
}

function isLanguage(code) {
  return Object.hasOwn(DICTIONARIES, code ?? '');
}
