/** Reads the pages, modules and styles as text. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const STATIC = join(import.meta.dirname, '../../static/');

/** @param {string} extension such as '.js' @returns {string[]} paths below static/ */
export function filesWith(extension) {
  return readdirSync(STATIC, { recursive: true })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith(extension))
    .sort();
}

/** @param {string} path below static/ */
export function read(path) {
  return readFileSync(STATIC + path, 'utf8');
}

/** @returns {Document} a page of ours; needs a DOM in the test's environment */
export function parsePage(path) {
  return new DOMParser().parseFromString(read(path), 'text/html');
}
