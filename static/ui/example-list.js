/** What one may say to a model that understands little. */

import { element } from './dom.js';

/**
 * @param {string[]} sentences
 * @param {?(sentence: string) => void} onChoose null where they are only to be read
 * @returns {HTMLElement}
 */
export function exampleList(sentences, onChoose) {
  const items = sentences.map((text) => {
    const lang = /[\u4e00-\u9fff]/.test(text) ? 'zh-CN' : 'en';
    if (onChoose === null) return element('li', { class: 'example', lang, text });
    const onclick = () => onChoose(text);
    const options = { type: 'button', class: 'example', lang, text, onclick };
    return element('li', {}, element('button', options));
  });
  const list = element('ul', {}, ...items);
  return element('div', { class: 'examples' }, element('p', { i18n: 'examples.title' }), list);
}
