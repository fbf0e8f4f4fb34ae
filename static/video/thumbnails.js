/** Small pictures of a recording's frames, loaded when they are to be seen, a few kept at a time. */

import { BoundedMap } from '../lib/bounded-map.js';

const KEPT = 150;
const WIDTH_PX = 128;
const AT_ONCE = 4;

export class Thumbnails {
  #urlOf;
  #onLoad;
  #pictures = new BoundedMap(KEPT, (picture) => picture?.close());
  #wanted = [];
  #loading = new Set();

  /** @param {(path: string) => string} urlOf @param {() => void} onLoad more can be drawn */
  constructor(urlOf, onLoad) {
    [this.#urlOf, this.#onLoad] = [urlOf, onLoad];
  }

  /** @returns {?ImageBitmap} null while it is not there, or when it cannot be read */
  picture(path) {
    return this.#pictures.get(path) ?? null;
  }

  /** @param {string[]} paths what is seen now */
  want(paths) {
    this.#wanted = paths.slice(0, KEPT);
    while (this.#loading.size < AT_ONCE) {
      const next = this.#wanted.find((path) => !this.#pictures.has(path) && !this.#loading.has(path));
      if (next === undefined) return;
      void this.#load(next);
    }
  }

  async #load(path) {
    this.#loading.add(path);
    const picture = await fetchSmall(this.#urlOf(path)).catch(() => null); // stays a grey field
    this.#pictures.set(path, picture);
    this.#loading.delete(path);
    this.#onLoad();
    this.want(this.#wanted);
  }
}

async function fetchSmall(url) {
  const response = await fetch(url);
  if (!response.ok) return null;
  return createImageBitmap(await response.blob(), { resizeWidth: WIDTH_PX, resizeQuality: 'medium' });
}
