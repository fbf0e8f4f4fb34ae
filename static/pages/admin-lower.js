/** The panels further down the dashboard; they are loaded once the first ones are there. */

import { translator } from '../i18n/index.js';
import { AdminEstimates } from './admin-estimates.js';
import { AdminLog } from './admin-log.js';
import { AdminPresets } from './admin-presets.js';
import { AdminRecordings } from './admin-recordings.js';
import { AdminVoices } from './admin-voices.js';

/** @returns {{presets: AdminPresets, recordings: AdminRecordings, log: AdminLog}} */
export function openLowerPanels({ poller, changes, toaster }) {
  new AdminEstimates({ poller, changes });
  new AdminVoices({ poller, changes, toaster });
  return {
    presets: new AdminPresets({ poller, language: translator.language }),
    recordings: new AdminRecordings({ poller, changes }),
    log: new AdminLog({ poller }),
  };
}
