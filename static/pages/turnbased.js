/** The turn-based page: joins its controllers to the elements of turnbased.html. */

import { t } from '../i18n/index.js';
import { Conversation } from '../lib/conversation.js';
import { Failure } from '../lib/failure.js';
import { ChatSocketTransport } from '../net/chat-api.js';
import { socketUrl } from '../net/socket.js';
import { SafeStorage } from '../state/storage.js';
import { openTurnbasedSettings } from '../state/turnbased-settings.js';
import { Composer } from '../ui/composer.js';
import { acceptDrops } from '../ui/drop-target.js';
import { QueueBanner } from '../ui/queue-banner.js';
import { TalkControl } from '../ui/talk-control.js';
import { TranscriptView } from '../ui/transcript-view.js';
import { ChatController } from './chat-controller.js';
import { showExamples } from './examples-on-demand.js';
import { PersonaOnDemand } from './persona-on-demand.js';
import { askToRecord, showApps, startShell, watchAccess } from './shell.js';
import { ShareOnDemand } from './share-on-demand.js';
import { SpeechOnDemand } from './speech-on-demand.js';

const DRAFT_KEY = 'turnbased_draft';

const byId = (id) => document.getElementById(id);
const shell = await startShell('/turnbased');
const { toaster, poller, banners, consent } = shell;
const settings = openTurnbasedSettings(shell.storage);
let settingsSheet = null;
const main = byId('main');
const tab = new SafeStorage(() => sessionStorage); // each tab has words of its own

const composer = new Composer(document);
const talk = new TalkControl(byId('microphone'), byId('draft'));
const speech = new SpeechOnDemand({
  open: async () => {
    const { SpeechController } = await import('./speech-controller.js');
    return new SpeechController({ onStop: () => chat.stop() });
  },
  onFailure: (failure) => toaster.failure(failure),
});
const persona = new PersonaOnDemand({
  mode: 'turnbased',
  storage: shell.storage,
  settings,
  onFailure: (failure) => toaster.failure(failure),
});
const transport = new ChatSocketTransport(socketUrl(location, '/ws/chat'));
const share = new ShareOnDemand({
  button: byId('share'),
  appType: 'chat',
  storage: shell.storage,
  toaster,
  noteKey: 'share.last_answer',
});
const chat = new ChatController({
  transport,
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
  persona,
  actions: {
    copy: (text) => use((ready) => ready.copyMessage(text)),
    edit: (turn, view) => use((ready) => ready.editMessage(turn, view)),
    resend: (turn) => use((ready) => ready.resendMessage(turn)),
    remove: (turn) => use((ready) => ready.removeMessage(turn)),
  },
  remedies: {
    new: { key: 'chat.new', run: startNewChat },
    settings: { key: 'settings.title', run: openSettings },
    sign_in: { key: 'action.sign_in', run: signInAndAskAgain },
    home: { key: 'action.home', run: () => location.assign('/') },
  },
});

let tools = null; // what the page can do beside asking; there a moment later
const opening = load(openTools());

async function openTools() {
  const { ChatTools } = await import('./chat-tools.js');
  tools = await ChatTools.open({
    chat,
    composer,
    talk,
    speech,
    toaster,
    tab,
    send,
    focusDraft,
  });
}

async function use(act) {
  await opening;
  if (tools !== null) await act(tools);
}

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

async function startNewChat() {
  await opening; // only then is it known whether chats are kept
  if (!tools?.history.works && !(await askToForget())) return;
  chat.show(new Conversation());
  focusDraft();
}

async function askToForget() {
  const { confirmInDialog } = await load(import('../ui/dialog.js'));
  return confirmInDialog?.({
    titleKey: 'chat.new_question',
    textKey: 'chat.new_text',
    confirmKey: 'chat.new',
  });
}

/** @param {object[]} items with what is attached before them */
async function send(items) {
  const message = [...(tools?.attachments.take() ?? []), ...items];
  if (consent.answer === null) {
    composer.setAnswering(true); // nothing more is sent while the visitor is asked
    await askToRecord(shell);
  }
  if (persona.isLoading) {
    composer.setAnswering(true);
    await persona.ready();
  }
  chat.send(message);
}

async function openSettings() {
  await opening; // brings the style of it
  const { SettingsSheet } = await load(import('./settings-sheet.js'));
  if (SettingsSheet === undefined) return;
  settingsSheet ??= new SettingsSheet({ shell, settings, onReset: () => persona.reset() });
  settingsSheet.open();
  void persona.show();
}

/** Examples take the place of the question that no toy could answer. */
async function offerExamples() {
  const starters = document.querySelector('.starters');
  const hasExamples = await showExamples(shell, 'turnbased', starters, write);
  if (hasExamples) byId('start-text').parentElement.hidden = true;
}

function write(text) {
  composer.text = text;
  composer.focus();
}

async function signInAndAskAgain() {
  const { signInAnd } = await load(import('./sign-in.js'));
  await signInAnd?.(() => chat.askAgain());
}

function showVoice({ speak }) {
  byId('voice').hidden = !speak;
  if (speak) void speech.prepare();
}

function showState() {
  main.toggleAttribute('data-empty', chat.empty);
  main.toggleAttribute('data-answering', chat.answering);
  byId('new-chat').hidden = chat.empty;
}

function addFiles(files) {
  void use((ready) => ready.attachments.addFiles(files));
}

async function checkThatChatIsOn() {
  const apps = await showApps(shell).catch(() => null); // the banner tells of a lost connection
  if (apps === null || apps.some((app) => app.app_id === 'turnbased')) return;
  banners.toggle('disabled', true, 'warning');
  composer.disable();
}

composer.on('submit', ({ text }) => {
  composer.text = '';
  void send(text === '' ? [] : [{ type: 'text', text }]);
});
composer.on('draft', (text) => tab.setText(DRAFT_KEY, text));
composer.on('stop', () => chat.stop());
composer.on('files', addFiles);
acceptDrops(document.body, byId('drop-target'), addFiles);
chat.on('answering', (answering) => {
  composer.setAnswering(answering);
  showState();
});
chat.on('shown', () => {
  share.offer(null);
  showState();
});
transport.on('done', ({ recordingSessionId }) => share.offer(recordingSessionId));

byId('new-chat').addEventListener('click', startNewChat);
byId('open-settings').addEventListener('click', openSettings);
byId('open-history').addEventListener('click', () => use((ready) => ready.openHistory()));
byId('voice-mode').addEventListener('click', () => use((ready) => ready.switchVoiceMode()));
byId('start-text').addEventListener('click', () => write(t('chat.start_text_example')));
byId('start-image').addEventListener('click', () => composer.chooseFiles());
byId('start-voice').addEventListener('click', () => talk.tap());
settings.on('change', showVoice);

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.isComposing || document.querySelector('dialog[open]')) return;
  if (tools?.discardRecording()) return;
  if (chat.answering || speech.speaking) chat.stop();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) chat.resync();
});
addEventListener('pagehide', () => {
  speech.stop();
  settings.flush();
  tools?.leave();
});

composer.text = tab.getText(DRAFT_KEY) ?? '';
void checkThatChatIsOn();
void offerExamples();
watchAccess(shell);
showVoice(settings.values);
focusDraft();
