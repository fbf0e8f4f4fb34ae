/** The dashboard of whoever runs the service. */

import { AdminAccess, isRefusal } from '../lib/admin-access.js';
import { asFailure } from '../lib/failure.js';
import { PollSchedule } from '../lib/poll-schedule.js';
import * as api from '../net/admin-api.js';
import { loadStatus } from '../net/catalog-api.js';
import { loadLogin } from '../net/login-api.js';
import { PartPoller } from '../net/part-poller.js';
import { AdminAccessPanel } from './admin-access.js';
import { AdminApps } from './admin-apps.js';
import { AdminChanges } from './admin-changes.js';
import { AdminFreshness } from './admin-freshness.js';
import { AdminQueue } from './admin-queue.js';
import { AdminSessions } from './admin-sessions.js';
import { AdminWorkers } from './admin-workers.js';
import { showApps, startShell } from './shell.js';

const OFTEN_MS = 5000;
const SELDOM_MS = 30_000;
const LOWER_PARTS = ['voices', 'estimates', 'presets', 'storage', 'recordings', 'log'];
const FOR_ADMINS = ['live', 'apps', 'storage', 'recordings', 'log'];
const PARTS = {
  login: { periodMs: SELDOM_MS, load: () => loadLogin() },
  status: { periodMs: OFTEN_MS, load: () => loadStatus() },
  workers: { periodMs: OFTEN_MS, load: api.loadWorkers },
  queue: { periodMs: OFTEN_MS, load: api.loadQueue },
  live: { periodMs: OFTEN_MS, load: api.loadLiveSessions },
  apps: { periodMs: OFTEN_MS, load: api.loadAllApps },
  voices: { periodMs: OFTEN_MS, load: api.loadVoices },
  estimates: { periodMs: SELDOM_MS, load: api.loadEstimates },
  presets: { periodMs: SELDOM_MS, load: () => lower.presets.load() },
  storage: { periodMs: SELDOM_MS, load: api.loadStorage },
  recordings: { periodMs: SELDOM_MS, load: () => lower.recordings.load() },
  log: { periodMs: OFTEN_MS, load: () => lower.log.load() },
};
const WORDS = { en: () => import('../i18n/admin-en.js'), zh: () => import('../i18n/admin-zh.js') };

let lower = null; // the panels further down, once they are loaded

const shell = await startShell('/admin', WORDS);
const { toaster } = shell;
const access = new AdminAccess();
const schedule = new PollSchedule(each((part) => part.periodMs));
const poller = new PartPoller(schedule, each((part) => part.load), { isWanted });
const accessPanel = new AdminAccessPanel({ access, poller, toaster });
const onRefused = (failure) => accessPanel.refuse(failure);
const changes = new AdminChanges({ poller, toaster, onRefused });
const sessions = new AdminSessions({ poller, changes });
new AdminWorkers({ poller, changes });
new AdminQueue({ poller, changes });
new AdminApps({ poller, changes });
new AdminFreshness(schedule, poller);

function each(choose) {
  return Object.fromEntries(Object.entries(PARTS).map(([name, part]) => [name, choose(part)]));
}

function isWanted(name) {
  if (LOWER_PARTS.includes(name) && lower === null) return false;
  if (name === 'log' && !lower.log.isWanted) return false;
  return access.mayRead || !FOR_ADMINS.includes(name);
}

accessPanel.on('read', (mayRead) => {
  if (!mayRead) sessions.forget();
  FOR_ADMINS.forEach((name) => schedule.forget(name));
  void poller.hurry(FOR_ADMINS);
});
poller.on('failed', ({ name, failure }) => {
  if (FOR_ADMINS.includes(name) && isRefusal(failure)) void poller.hurry(['login']);
});
void poller.start();
void openLower();
showApps(shell).catch((failure) => toaster.failure(failure));

async function openLower() {
  try {
    const { openLowerPanels } = await import('./admin-lower.js');
    lower = openLowerPanels({ poller, changes, toaster });
    accessPanel.show();
    document.getElementById('main').toggleAttribute('data-complete', true);
    void poller.hurry(LOWER_PARTS);
  } catch (error) {
    toaster.failure(asFailure(error));
  }
}
