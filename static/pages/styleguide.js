/** The design system on one page: its tokens, icons and parts, as the other pages use them. */

import { translator } from '../i18n/index.js';
import { showApps, startShell } from './shell.js';
import { showIcons, showParts } from './styleguide-parts.js';
import { showTokens } from './styleguide-tokens.js';

const WORDS = {
  en: () => import('../i18n/styleguide-en.js'),
  zh: () => import('../i18n/styleguide-zh.js'),
};
const WORDS_OF_THE_PARTS = [
  { en: () => import('../i18n/admin-en.js'), zh: () => import('../i18n/admin-zh.js') },
  { en: () => import('../i18n/studio-en.js'), zh: () => import('../i18n/studio-zh.js') },
];

const shell = await startShell('/static/styleguide.html', WORDS);
showApps(shell).catch((failure) => shell.toaster.failure(failure));
for (const words of WORDS_OF_THE_PARTS) await translator.add(words);
showTokens();
showParts(shell);
await showIcons();
