/** The full-duplex pages, which omni.js and audio-duplex.js tell what they are. */

import { openDuplexSettings } from '../state/duplex-settings.js';
import { startCallPage } from './call-page.js';
import { CallSource } from './call-source.js';

const WORDS = { en: () => import('../i18n/call-en.js'), zh: () => import('../i18n/call-zh.js') };

/**
 * @param {{app: string, route: string, name: string, prefix: 'omni' | 'adx', hasVideo: boolean,
 *          lengthPenalty: number, fileLimitS: number, note?: string,
 *          openPictures?: (parts: object) => object}} page `name` goes before what is remembered;
 *   `note` as in call-page.js, `openPictures` as in omni.js
 */
export function startDuplexPage(page) {
  return startCallPage({
    ...page,
    words: WORDS,
    openSettings: (delayMs, storage) => openDuplexSettings(page, delayMs, storage),
    openSource: ({ settings, toaster }) => {
      const pictures = page.openPictures?.({ settings, toaster }) ?? null;
      return new CallSource(page.fileLimitS, pictures, toaster);
    },
    loadCall: async () => (await import('./call.js')).Call,
  });
}
