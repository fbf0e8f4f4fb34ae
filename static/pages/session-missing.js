/** The page for recordings that do not exist, or not any more. */

import { showApps, startShell } from './shell.js';

const WORDS = {
  en: () => import('../i18n/replay-en.js'),
  zh: () => import('../i18n/replay-zh.js'),
};

const shell = await startShell('', WORDS);
showApps(shell).catch((failure) => shell.toaster.failure(failure));
