/** Styles of what is not on the page at first; they load with it. */

const STYLES_URL = '/static/css/';
const loading = new Map();

/** @param {string} name of a file in css/ @returns {Promise<void>} when it applies, or failed to */
export function useStylesheet(name) {
  if (!loading.has(name)) loading.set(name, load(`${STYLES_URL}${name}.css`));
  return loading.get(name);
}

function load(href) {
  const link = document.createElement('link');
  const settled = new Promise((resolve) => {
    link.onload = resolve;
    link.onerror = resolve;
  });
  Object.assign(link, { rel: 'stylesheet', href });
  document.head.append(link);
  return settled;
}
