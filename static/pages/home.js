/** The start page: modes, how the service is doing, and what the model is. */

import { localize } from '../i18n/index.js';
import { asFailure } from '../lib/failure.js';
import { RecentSessions } from '../state/recent.js';
import { takeSwitchedOff } from '../state/switched-off.js';
import { appCard, appName } from '../ui/apps.js';
import { element } from '../ui/dom.js';
import { failureCard } from '../ui/failure-text.js';
import { summary } from '../ui/health-badge.js';
import { HOME_WORDS } from './home-words.js';
import { rememberedApps, showApps, startShell } from './shell.js';

const shell = await startShell('/', HOME_WORDS);
const modes = document.getElementById('modes');
const notice = document.getElementById('modes-notice');
const ways = document.getElementById('ways');
const serviceState = document.getElementById('service-state');

function showCards(apps) {
  modes.replaceChildren(...apps.map(appCard));
}

/** Modes that are switched off are not compared, either. */
function showWays(apps) {
  const on = apps.map(({ app_id: id }) => id);
  for (const row of ways.querySelectorAll('[data-app]')) row.hidden = !on.includes(row.dataset.app);
  ways.hidden = apps.length === 0;
}

async function refresh() {
  notice.replaceChildren();
  try {
    const apps = await showApps(shell);
    showCards(apps);
    showWays(apps);
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

/** An address that led here, and why. */
function tellSwitchedOff() {
  const id = takeSwitchedOff(document);
  if (id === null) return;
  const name = element('b', appName({ app_id: id, name: id }));
  const why = element('span', { i18n: 'home.switched_off' });
  shell.banners.add(element('p', {}, name, ' ', why), 'warning');
}

function showState(status) {
  const { key, params } = summary(status);
  localize(serviceState, `home.${key}`, params);
}

shell.poller.on('status', showState);
shell.poller.on('unreachable', () => showState(null));
tellSwitchedOff();
showCards(rememberedApps(shell));
void refresh();
void showShared();
