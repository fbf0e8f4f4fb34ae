/** What calls of every kind consist of, bound to the elements of their page. */

import { localize } from '../i18n/index.js';
import { CountdownTimer } from '../lib/countdown-timer.js';
import { CallDisplay } from '../ui/call-display.js';
import { CallLog } from '../ui/call-log.js';
import { Captions } from '../ui/captions.js';
import { QueueBanner } from '../ui/queue-banner.js';
import { CallNotices } from './call-notices.js';
import { ShareOnDemand } from './share-on-demand.js';
import { signInAnd } from './sign-in.js';

const byId = (id) => document.getElementById(id);

/** Where a call is seen: light and words, log, captions. */
export function openStage() {
  const display = new CallDisplay({
    orb: byId('orb'),
    text: byId('state-text'),
    clock: byId('clock'),
    level: byId('level'),
    canvas: byId('waveform'),
  });
  const log = new CallLog({
    log: byId('log'),
    scroller: byId('log-scroller'),
    announcer: byId('announcer'),
    jump: byId('jump'),
  });
  return { display, log, captions: new Captions(byId('captions')) };
}

/**
 * @param {{shell: object, machine: object, player: object,
 *          voice: import('./call-voice.js').CallVoice, onRestart: () => void}} parts
 */
export function openNotices({ shell, machine, player, voice, onRestart }) {
  new CallNotices({
    container: byId('notice'),
    shell,
    machine,
    player,
    voice,
    remedies: {
      retry: { key: 'call.start_again', run: onRestart },
      sign_in: { key: 'action.sign_in', run: () => signInAnd(onRestart) },
      home: { key: 'action.home', run: () => location.assign('/') },
    },
  });
}

/**
 * What the service records of a call can be shared as soon as it has an id.
 * @param {{shell: object, machine: object, appType: string,
 *          recording: () => Promise<?Blob>}} parts as share-on-demand.js
 */
export function followSharing({ shell, machine, appType, recording }) {
  const { storage, toaster } = shell;
  const share = new ShareOnDemand({ button: byId('share'), appType, storage, toaster, recording });
  machine.on('state', ({ state }) => {
    if (state === 'opening') share.offer(null);
  });
  machine.on('prepared', ({ recordingSessionId }) => share.offer(recordingSessionId));
}

/** Shows the place in the queue, and how long it may take. */
export function followQueue(machine) {
  const banner = new QueueBanner(byId('queue'), () => machine.stop());
  const countdown = new CountdownTimer((state) => banner.show(state));
  machine.on('queue', ({ position, estimatedWaitS, queueLength }) => {
    countdown.update(estimatedWaitS ?? 0, position, queueLength);
  });
  machine.on('state', ({ previous }) => {
    if (previous !== 'queued') return;
    countdown.stop();
    banner.hide();
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) countdown.resync();
  });
}

/** @param {HTMLElement} element @param {?number} responseMs */
export function showLatency(element, responseMs) {
  if (responseMs === null) localize(element, 'call.metrics');
  else localize(element, 'call.latency', { ms: Math.round(responseMs) });
}

/** Whether the visitor hears the model: for this call, and changed while it goes on. */
export function followSpeaker({ machine, controls, player }) {
  const mute = (on) => {
    player.muted = on;
    controls.press('mute-speaker', on);
  };
  controls.on('mute-speaker', () => mute(!player.muted));
  machine.on('state', ({ state }) => {
    if (state === 'opening') mute(false);
  });
}

/** Settings that hold at once, also in a call. */
export function followSettings({ settings, comfort, player, captions }) {
  const apply = ({ playback_delay_ms: delayMs, volume, captions: shown }) => {
    player.playbackDelayMs = delayMs;
    player.volume = volume / 100;
    captions.shown = shown;
  };
  const applyComfort = (comfortable) => {
    captions.size = comfortable.caption_size;
    captions.height = comfortable.caption_height;
    captions.bottomOpacity = comfortable.caption_bottom_opacity;
    captions.topOpacity = comfortable.caption_top_opacity;
    captions.contrast = comfortable.caption_contrast;
    player.adaptive = comfortable.adaptive_delay;
  };
  settings.on('change', apply);
  comfort.on('change', applyComfort);
  apply(settings.values);
  applyComfort(comfort.values);
}
