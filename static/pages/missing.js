/** The page for addresses that lead nowhere. */

import { showApps, startShell } from './shell.js';

const shell = await startShell('');
showApps(shell).catch((failure) => shell.toaster.failure(failure));
