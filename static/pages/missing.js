/** The page for addresses that lead nowhere. */

import { HOME_WORDS } from './home-words.js';
import { showApps, startShell } from './shell.js';

const shell = await startShell('', HOME_WORDS);
showApps(shell).catch((failure) => shell.toaster.failure(failure));
