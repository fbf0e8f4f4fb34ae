/** The start page: modes, how the service is doing, and what the model is. */

import { localize } from '../i18n/index.js';
import { asFailure } from '../lib/failure.js';
import { RecentSessions } from '../state/recent.js';
import { appCard } from '../ui/apps.js';
import { element } from '../ui/dom.js';
import { failureCard } from '../ui/failure-text.js';
import { summary } from '../ui/health-badge.js';
import { HOME_WORDS } from './home-words.js';
import { rememberedApps, showApps, startShell } from './shell.js';

const shell = await startShell('/', HOME_WORDS);
const modes = document.getElementById('modes');
const notice = document.getElementById('modes-notice');
const serviceState = document.getElementById('service-state');

function showCards(apps) {
  modes.replaceChildren(...apps.map(appCard));
}

async function refresh() {
  notice.replaceChildren();
  try {
    const apps = await showApps(shell);
    showCards(apps);
    if (apps.length === 0) notice.append(element('p', { class: 'quiet', i18n: 'home.no_modes' }));
  } catch (error) {
    const retry = { key: 'action.retry', run: refresh };
    notice.append(failureCard(asFailure(error), { retry }));
  }
}

async function showShared() {
  const recent = new RecentSessions(shell.storage);
  if (recent.list.length === 0) return;
  const { showRecentSessions } = await import('./recent-sessions.js');
  await showRecentSessions(document.getElementById('recent'), recent);
}

function showState(status) {
  const { key, params } = summary(status);
  localize(serviceState, `home.${key}`, params);
}

shell.poller.on('status', showState);
shell.poller.on('unreachable', () => showState(null));
showCards(rememberedApps(shell));
void refresh();
void showShared();
