/** The replay page: what is known of a recording, and then the recording itself. */

import { asFailure } from '../lib/failure.js';
import { linesOf } from '../lib/recorded-lines.js';
import { assetUrl, loadComment, loadRecording, loadSession } from '../net/sessions-api.js';
import { element } from '../ui/dom.js';
import { exportBar } from '../ui/export-bar.js';
import { failureCard } from '../ui/failure-text.js';
import { SessionHeader } from '../ui/session-header.js';
import { showApps, startShell } from './shell.js';

const byId = (id) => document.getElementById(id);
const both = (first, second) => ({ default: { ...first.default, ...second.default } });
const WORDS = {
  en: async () => both(await import('../i18n/replay-en.js'), await import('../i18n/export-en.js')),
  zh: async () => both(await import('../i18n/replay-zh.js'), await import('../i18n/export-zh.js')),
};
const REMEDIES = {
  retry: { key: 'action.retry', run: () => location.reload() },
  home: { key: 'action.home', run: () => location.assign('/') },
};

const id = decodeURIComponent(location.pathname.split('/')[2]);
const shell = await startShell('', WORDS);
const header = new SessionHeader({
  container: byId('about'),
  id,
  toaster: shell.toaster,
  onDelete: async () => (await import('./session-removal.js')).removeSession(id, shell),
});

function notice(i18n, params = {}, ...more) {
  const text = element('p', { i18n, params });
  byId('notices').append(element('div', { class: 'session-notice', role: 'status' }, text, ...more));
}

function showProblems({ recording_error: broken, replay_error: unmerged }) {
  if (broken) notice('replay.broken', { reason: broken });
  if (unmerged) notice('replay.unmerged', { reason: unmerged });
}

function showLive() {
  const again = { type: 'button', class: 'button', i18n: 'action.retry', onclick: () => location.reload() };
  notice('replay.live', {}, element('button', again));
}

async function showContents(recording) {
  const isCall = recording.mode === 'duplex';
  const module = isCall ? import('./replay-call.js') : import('./replay-turns.js');
  const { openReplay } = await module;
  const lines = linesOf(recording);
  const urlOf = (path) => assetUrl(id, path);
  openReplay({ container: byId('replay'), recording, lines, urlOf, toaster: shell.toaster });
  if (lines.length === 0) return;
  const parts = { lines: () => lines, title: () => header.title, fileName: id };
  byId('export').append(exportBar({ ...parts, toaster: shell.toaster }));
}

async function showUploaded({ frontend_replay: file }) {
  if (!file) return;
  const { uploadedRecording } = await import('../ui/uploaded-recording.js');
  byId('uploaded').append(uploadedRecording(assetUrl(id, file), file));
  byId('uploaded').hidden = false;
}

async function show() {
  const session = await loadSession(id);
  header.show(session);
  showProblems(session);
  void loadComment(id).then((comment) => header.showComment(comment));
  void header.offerRemoval(async () => (await import('./session-removal.js')).mayRemove());
  if (session.ended_at === null) {
    showLive();
    return;
  }
  await showContents(await loadRecording(id));
  await showUploaded(session);
}

new MutationObserver(() => header.localize()).observe(document.documentElement, {
  attributeFilter: ['lang'],
});
showApps(shell).catch(() => {}); // the banner tells of a lost connection
show().catch((error) => {
  byId('notices').append(failureCard(asFailure(error), REMEDIES));
});
