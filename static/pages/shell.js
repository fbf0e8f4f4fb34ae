/** What every page starts with: language, theme, header, and news about the service. */

import { translator } from '../i18n/index.js';
import { Failure } from '../lib/failure.js';
import { loadApps, loadFrontendDefaults } from '../net/catalog-api.js';
import { StatusPoller } from '../net/status-poller.js';
import { RecordingConsent } from '../state/consent.js';
import { SafeStorage } from '../state/storage.js';
import { Banners } from '../ui/banners.js';
import { SiteHeader } from '../ui/nav.js';
import { Theme } from '../ui/theme.js';
import { Toaster } from '../ui/toast.js';

const APPS_KEY = 'minicpmo_apps';
const CLOSED = 'closed';
const NANO = 'minicpm-o-nano';
const FAQS = {
  '/': 'home',
  '/turnbased': 'turnbased',
  '/half_duplex': 'half-duplex',
  '/omni': 'omni',
  '/audio_duplex': 'audio-duplex',
};

/**
 * @param {string} current the page's route
 * @param {Record<string, () => Promise<object>>} [pageWords] see i18n/index.js
 */
export async function startShell(current, pageWords) {
  const storage = new SafeStorage();
  await translator.start({ document, location, navigator, storage, pageWords });
  const theme = new Theme(document.documentElement, storage);
  const banners = new Banners(document.getElementById('banners'));
  const toaster = new Toaster(document.getElementById('toasts'));
  const onFaq = current in FAQS ? openerOfFaq(FAQS[current], toaster) : null;
  const header = new SiteHeader(document.getElementById('site-header'), { current, theme, onFaq });
  const poller = new StatusPoller();
  const consent = new RecordingConsent(storage);
  document.documentElement.classList.remove('starting');
  header.setApps(storage.getJson(APPS_KEY) ?? []);
  watchService(poller, header, banners);
  const defaults = loadFrontendDefaults().catch(() => ({}));
  void adoptServerLanguage(defaults);
  return { storage, header, banners, toaster, poller, defaults, consent };
}

/**
 * The modes that are switched on; the header is brought up to date with them.
 * @returns {Promise<object[]>} @throws {Failure}
 */
export async function showApps({ storage, header }) {
  const apps = await loadApps();
  storage.setJson(APPS_KEY, apps);
  header.setApps(apps);
  return apps;
}

/** @returns {object[]} the modes this browser saw last */
export function rememberedApps({ storage }) {
  return storage.getJson(APPS_KEY) ?? [];
}

/** Asks, before the first session, whether the service may record; unanswered is a no. */
export async function askToRecord({ consent, defaults }) {
  if (consent.answer !== null || !(await defaults).recording) return;
  const question = await import('../ui/consent-dialog.js').catch(() => null); // out of reach
  await question?.askForConsent(consent);
}

/** A note that each visit begins with until it is closed. @param {string} name as for Banners */
export function tellUntilClosed({ storage, banners }, name) {
  const key = `minicpmo_note_${name}`;
  if (storage.getText(key) === CLOSED) return;
  banners.addClosable(name, () => storage.setText(key, CLOSED));
}

/** The service may ask for a key, now or later; the page stays as it is meanwhile. */
export function watchAccess(shell) {
  void import('./sign-in.js').then(
    (signIn) => signIn.watchAccess(shell),
    () => {}, // out of reach, which the banner tells
  );
}

/** Questions and answers load when somebody asks for them. */
function openerOfFaq(name, toaster) {
  let drawer = null;
  return async () => {
    try {
      const { FaqDrawer } = await import('../ui/faq-drawer.js');
      drawer ??= new FaqDrawer(name);
      await drawer.open();
    } catch (error) {
      toaster.failure(new Failure('unreachable', { cause: error }));
    }
  };
}

function watchService(poller, header, banners) {
  const showConnection = (reachable) => {
    header.health.show(poller.latest);
    banners.toggle('offline', !navigator.onLine, 'warning');
    banners.toggle('unreachable', navigator.onLine && !reachable, 'warning');
  };
  poller.on('status', (status) => {
    showConnection(true);
    const isNano = status.model_name === NANO;
    banners.toggle('nano', isNano);
    banners.toggle('embedded', status.embedded_model === true && !isNano);
  });
  poller.on('unreachable', () => showConnection(false));
  addEventListener('offline', () => showConnection(true));
  addEventListener('online', () => showConnection(true));
  void poller.start();
}

async function adoptServerLanguage(defaults) {
  await translator.suggest((await defaults).default_lang);
}
