/** Half-duplex voice: the visitor speaks, pauses, and is answered. */

import { openHalfDuplexSettings } from '../state/half-duplex-settings.js';
import { startCallPage } from './call-page.js';

const WORDS = {
  en: async () => merge(await import('../i18n/call-en.js'), await import('../i18n/half-duplex-en.js')),
  zh: async () => merge(await import('../i18n/call-zh.js'), await import('../i18n/half-duplex-zh.js')),
};

await startCallPage({
  app: 'half_duplex_audio',
  route: '/half_duplex',
  name: 'half_duplex',
  words: WORDS,
  openSettings: openHalfDuplexSettings,
  loadCall: async () => (await import('./half-duplex-call.js')).HalfDuplexCall,
});

/** Some words of calls are said differently here. */
function merge(ofCalls, ofThisPage) {
  return { default: { ...ofCalls.default, ...ofThisPage.default } };
}
