/** Builds the settings that all pages of calls share into the settings of this one. */

import { comfortFields } from '../ui/comfort-fields.js';
import { bindSettingsForm } from '../ui/settings-form.js';

/** @param {{comfort: import('../state/settings.js').SettingsStore, toaster: object}} parts */
export function openComfort({ comfort, toaster }) {
  const container = document.getElementById('comfort');
  container.append(...comfortFields(comfort.fields));
  bindSettingsForm(container.closest('form'), comfort);
  comfort.on('change', ({ notify }) => {
    if (notify) void askToNotify(comfort, toaster);
  });
}

/** Browsers ask once; a no is taken back only in their own settings. */
async function askToNotify(comfort, toaster) {
  const answer = await globalThis.Notification?.requestPermission();
  if (answer === 'granted') return;
  comfort.set('notify', false);
  toaster.warn('call.notify_denied', 'call.notify_denied_hint');
}
