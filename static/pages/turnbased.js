/** The turn-based page: joins its controllers to the elements of turnbased.html. */

import { t } from '../i18n/index.js';
import { Failure } from '../lib/failure.js';
import { ChatSocketTransport } from '../net/chat-api.js';
import { socketUrl } from '../net/socket.js';
import { openTurnbasedSettings } from '../state/turnbased-settings.js';
import { copyText } from '../ui/clipboard.js';
import { Composer } from '../ui/composer.js';
import { acceptDrops } from '../ui/drop-target.js';
import { QueueBanner } from '../ui/queue-banner.js';
import { TalkControl } from '../ui/talk-control.js';
import { TranscriptView } from '../ui/transcript-view.js';
import { AttachmentController } from './attachment-controller.js';
import { ChatController } from './chat-controller.js';
import { RecordingController } from './recording-controller.js';
import { askToRecord, showApps, startShell } from './shell.js';
import { SpeechOnDemand } from './speech-on-demand.js';

const byId = (id) => document.getElementById(id);
const shell = await startShell('/turnbased');
const { toaster, poller, banners, consent } = shell;
const settings = openTurnbasedSettings(shell.storage);
let settingsSheet = null;
const main = byId('main');

const composer = new Composer(document);
const attachments = new AttachmentController({
  list: byId('attachments'),
  toaster,
  onChange: (state) => composer.setAttachments(state),
});
const talk = new TalkControl(byId('microphone'), byId('draft'));
const recording = new RecordingController({
  talk,
  container: byId('recording'),
  toaster,
  onClip: (samples) => {
    attachments.addRecording(samples);
    focusDraft();
  },
});
const speech = new SpeechOnDemand({
  open: async () => {
    const { SpeechController } = await import('./speech-controller.js');
    return new SpeechController({ voiceField: byId('voice'), onStop: () => chat.stop() });
  },
  onFailure: (failure) => toaster.failure(failure),
});
const chat = new ChatController({
  transport: new ChatSocketTransport(socketUrl(location, '/ws/chat')),
  transcript: new TranscriptView({
    log: byId('transcript'),
    scroller: byId('scroller'),
    announcer: byId('announcer'),
    jump: byId('jump'),
  }),
  queueBanner: new QueueBanner(byId('queue'), () => chat.stop()),
  poller,
  settings,
  consent,
  speech,
  onCopy: copyAnswer,
  remedies: {
    new: { key: 'chat.new', run: startNewChat },
    settings: { key: 'settings.title', run: openSettings },
    home: { key: 'action.home', run: () => location.assign('/') },
  },
});

/** Not on phones, where focus would bring up the keyboard. */
function focusDraft() {
  if (matchMedia('(pointer: fine)').matches) composer.focus();
}

/** What only some visitors need comes when they do, or not at all. */
function load(module) {
  return module.catch((error) => {
    toaster.failure(new Failure('unreachable', { cause: error }));
    return {};
  });
}

async function copyAnswer(text) {
  toaster.news((await copyText(text)) ? 'action.copied' : 'action.not_copied');
}

async function startNewChat() {
  const { confirmInDialog } = await load(import('../ui/dialog.js'));
  const agreed = await confirmInDialog?.({
    titleKey: 'chat.new_question',
    textKey: 'chat.new_text',
    confirmKey: 'chat.new',
  });
  if (!agreed) return;
  chat.clear();
  attachments.release();
  focusDraft();
}

async function openSettings() {
  const { SettingsSheet } = await load(import('./settings-sheet.js'));
  if (SettingsSheet === undefined) return;
  settingsSheet ??= new SettingsSheet({ shell, settings });
  settingsSheet.open();
}

function showVoice({ speak }) {
  byId('voice').hidden = !speak;
  if (speak) void speech.prepare();
}

function showEmptiness() {
  main.toggleAttribute('data-empty', chat.empty);
  byId('new-chat').hidden = chat.empty;
}

async function checkThatChatIsOn() {
  const apps = await showApps(shell).catch(() => null); // the banner tells of a lost connection
  if (apps === null || apps.some((app) => app.app_id === 'turnbased')) return;
  banners.toggle('disabled', true, 'warning');
  composer.disable();
}

composer.on('submit', async ({ text }) => {
  const typed = text === '' ? [] : [{ type: 'text', text }];
  const items = [...attachments.take(), ...typed];
  composer.text = '';
  if (consent.answer === null) {
    composer.setAnswering(true); // nothing more is sent while the visitor is asked
    await askToRecord(shell);
  }
  chat.send(items);
  showEmptiness();
});
composer.on('stop', () => chat.stop());
composer.on('files', (files) => attachments.addFiles(files));
chat.on('answering', (answering) => composer.setAnswering(answering));
chat.on('cleared', showEmptiness);
talk.on('start', () => {
  if (speech.speaking) chat.stop();
});
acceptDrops(document.body, byId('drop-target'), (files) => attachments.addFiles(files));

byId('new-chat').addEventListener('click', startNewChat);
byId('open-settings').addEventListener('click', openSettings);
byId('start-text').addEventListener('click', () => {
  composer.text = t('chat.start_text_example');
  composer.focus();
});
byId('start-image').addEventListener('click', () => composer.chooseFiles());
byId('start-voice').addEventListener('click', () => talk.tap());
settings.on('change', showVoice);

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || document.querySelector('dialog[open]')) return;
  if (recording.active) recording.discard();
  else if (chat.answering || speech.speaking) chat.stop();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) chat.resync();
});
addEventListener('pagehide', () => {
  if (recording.active) recording.discard();
  speech.stop();
  settings.flush();
});

void checkThatChatIsOn();
showVoice(settings.values);
focusDraft();
