/** The parts that scripts build, built by those same scripts. */

import { Failure } from '../lib/failure.js';
import { encodeWav } from '../lib/wav.js';
import { appCard } from '../ui/apps.js';
import { audioPill } from '../ui/audio-pill.js';
import { Banners } from '../ui/banners.js';
import { Captions } from '../ui/captions.js';
import { actionColumn, textColumn, timeColumn, typeColumn } from '../ui/columns.js';
import { DataTable } from '../ui/data-table.js';
import { confirmInDialog } from '../ui/dialog.js';
import { element, icon } from '../ui/dom.js';
import { failureCard } from '../ui/failure-text.js';
import { HealthBadge } from '../ui/health-badge.js';
import { LevelBar } from '../ui/level-bar.js';
import { QueueBanner } from '../ui/queue-banner.js';
import { Sparkline } from '../ui/sparkline.js';
import { typeBadge } from '../ui/type-badge.js';

const ICONS_URL = '/static/img/icons.svg';
const TYPES = ['chat', 'half_duplex_audio', 'audio_duplex', 'omni_duplex'];
const APPS = [
  { app_id: 'turnbased', name: 'Turn-based chat', route: '/turnbased' },
  { app_id: 'omni', name: 'Omni full-duplex', route: '/omni' },
];
const STATUSES = [
  { total_workers: 2, idle_workers: 1 },
  { total_workers: 1, idle_workers: 0, loading_workers: 1 },
  { total_workers: 1, idle_workers: 0, loading_workers: 0, queue_length: 3 },
  null,
];
const LEVELS = [
  ['guide.level_quiet', -42],
  ['guide.level_speech', -18],
  ['guide.level_clipped', -0.5],
];
const [SILENCE_S, RATE] = [5, 8000];
const SESSIONS = [
  { session: 'chat_1', type: 'chat', worker: 'worker_0', length_s: 42 },
  { session: 'hdx_2', type: 'half_duplex_audio', worker: 'worker_1', length_s: 187 },
  { session: 'adx_3', type: 'audio_duplex', worker: 'worker_0', length_s: 3725 },
  { session: 'omni_4', type: 'omni_duplex', worker: 'worker_1', length_s: 611 },
  { session: 'chat_5', type: 'chat', worker: 'worker_0', length_s: 9 },
];
const COURSE = [20, 35, 30, 55, 70, 65, 90, 80, 60, 75];

const byId = (id) => document.getElementById(id);
const nothing = () => {};

/** Every icon that is drawn, by its name. */
export async function showIcons() {
  const drawing = await (await fetch(ICONS_URL)).text();
  const symbols = new DOMParser().parseFromString(drawing, 'image/svg+xml').querySelectorAll('symbol');
  const entries = [...symbols].map(({ id }) =>
    element('li', { class: 'icon-entry' }, icon(id), element('code', { text: id })),
  );
  byId('icons').append(...entries);
}

/** @param {{toaster: import('../ui/toast.js').Toaster}} shell */
export function showParts({ toaster }) {
  showMessages();
  byId('cards').append(...APPS.map(appCard));
  byId('badges').append(...TYPES.map(typeBadge), ...STATUSES.map(healthBadge));
  showTable();
  showMeters();
  new Captions(byId('captions')).show(
    { heard: 'Once upon a time there was ', sounding: 'a fox' }, true, performance.now());
  byId('pill').append(audioPill({ url: silence(), name: 'ref_en.wav', durationS: SILENCE_S }));
  const on = (id, act) => byId(id).addEventListener('click', act);
  on('show-news', () => toaster.news('chat.empty_answer'));
  on('show-failure', () => toaster.failure(new Failure('connection_lost')));
  on('ask', () => confirmInDialog({
    titleKey: 'guide.ask_title', textKey: 'guide.ask_text', confirmKey: 'guide.ask_confirm',
  }));
  on('open-sheet', () => byId('sheet').showModal());
}

function showMessages() {
  const banners = new Banners(byId('banner-examples'));
  banners.toggle('embedded', true);
  banners.toggle('offline', true, 'warning');
  const queue = new QueueBanner(byId('queue'), nothing);
  queue.show({ remaining: 83, position: 2, queueLength: 3 });
  const remedies = { retry: { key: 'action.retry', run: nothing } };
  byId('failure').append(failureCard(new Failure('queue_full'), remedies));
}

function healthBadge(status) {
  const badge = new HealthBadge();
  badge.show(status);
  return badge.element;
}

function showTable() {
  const buttonOf = ({ session: name }) => (
    { key: 'admin.delete', nameKey: 'admin.delete_name', params: { name }, onclick: nothing });
  const columns = [
    textColumn('admin.column.session', 'session'),
    typeColumn('type'),
    textColumn('admin.column.worker', 'worker', { minor: true }),
    timeColumn('admin.column.length', 'length_s'),
    actionColumn(({ session }) => session, buttonOf),
  ];
  const keys = { captionKey: 'guide.tables', emptyKey: 'guide.table_empty' };
  new DataTable(byId('table'), { ...keys, keyOf: ({ session }) => session, columns }).show(SESSIONS);
}

function showMeters() {
  for (const [key, level] of LEVELS) {
    new LevelBar(byId('levels'), key).show({ rmsDb: level, peakDb: level + 3 }, performance.now());
  }
  const sparkline = new Sparkline('guide.course');
  sparkline.show(COURSE, { top: 100, text: (value) => `${value} %` });
  byId('sparks').append(sparkline.element);
}

/** Something to play that is not heard. */
function silence() {
  const file = encodeWav(new Float32Array(SILENCE_S * RATE), RATE);
  return URL.createObjectURL(new Blob([file], { type: 'audio/wav' }));
}
