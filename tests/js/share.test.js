// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { translator } from '../../static/i18n/index.js';
import { Emitter } from '../../static/lib/emitter.js';
import { Failure } from '../../static/lib/failure.js';
import { MAX_RECORDING_BYTES } from '../../static/lib/limits.js';
import { assetUrl, replayPath, uploadRecording } from '../../static/net/sessions-api.js';
import { ShareController } from '../../static/pages/share-controller.js';
import { ShareOnDemand } from '../../static/pages/share-on-demand.js';
import { RecentSessions } from '../../static/state/recent.js';
import { SafeStorage } from '../../static/state/storage.js';
import { showRecent } from '../../static/ui/recent-list.js';
import { ShareDialog } from '../../static/ui/share-dialog.js';
import { MemoryStorage, speakEnglish } from './fakes.js';

const KEY = 'minicpmo45_recent_sessions';
const WORDS = {
  en: () => import('../../static/i18n/share-en.js'),
  zh: () => import('../../static/i18n/share-zh.js'),
};
const RECENT_WORDS = {
  en: () => import('../../static/i18n/recent-en.js'),
  zh: () => import('../../static/i18n/recent-zh.js'),
};

let memory;
let recent;

beforeEach(async () => {
  document.body.replaceChildren();
  await speakEnglish(translator);
  await Promise.all([translator.add(WORDS), translator.add(RECENT_WORDS)]);
  memory = new MemoryStorage();
  recent = new RecentSessions(new SafeStorage(() => memory));
});

describe('recent sessions', () => {
  it('are listed newest first, once each, twenty at most', () => {
    for (let index = 0; index < 25; index += 1) recent.add({ id: `s${index}`, appType: 'chat' });
    recent.add({ id: 's10', appType: 'chat' });
    expect(recent.list).toHaveLength(20);
    expect(recent.list.map(({ id }) => id).slice(0, 3)).toEqual(['s10', 's24', 's23']);
    expect(new Set(recent.list.map(({ id }) => id)).size).toBe(20);
  });

  it.each(['', '{', '7', '{"id": 1}', '[null, 5, {"id": "a"}, {"id": "a", "appType": "chat", "savedAt": "?"}]'])(
    'survive a store that holds %s',
    (stored) => {
      memory.setItem(KEY, stored);
      expect(recent.list).toEqual([]);
      recent.add({ id: 's1', appType: 'chat' });
      expect(recent.list.map(({ id }) => id)).toEqual(['s1']);
    },
  );

  it('are shown with their kind, and can be forgotten', () => {
    recent.add({ id: 'call_1', appType: 'omni_duplex', savedAt: '2026-05-04T07:12:00.000Z' });
    const section = document.createElement('section');
    showRecent(section, recent);
    const link = section.querySelector('a');
    expect([link.getAttribute('href'), link.target]).toEqual(['/s/call_1', '_blank']);
    expect(link.textContent).toContain('Omni full-duplex');
    expect(link.textContent).toContain('2026');
    section.querySelector('button').click();
    expect([section.hidden, recent.list]).toEqual([true, []]);
  });
});

it('addresses name every part of a path', () => {
  expect(assetUrl('a b', 'user_audio/0 1.wav')).toBe('/api/sessions/a%20b/assets/user_audio/0%201.wav');
  expect(replayPath('chat_1')).toBe('/s/chat_1');
});

describe('uploading', () => {
  class FakeRequest extends EventTarget {
    upload = new EventTarget();
    open = vi.fn();
    send = vi.fn();
    abort = () => this.dispatchEvent(new Event('abort'));
    answer(status, body) {
      Object.assign(this, { status, responseText: JSON.stringify(body) });
      this.dispatchEvent(new Event('load'));
    }
  }
  let request;
  let onProgress;
  let aborter;

  const upload = () => {
    request = new FakeRequest();
    onProgress = vi.fn();
    aborter = new AbortController();
    const blob = new Blob(['sound'], { type: 'audio/wav' });
    return uploadRecording('s1', blob, { onProgress, signal: aborter.signal, open: () => request });
  };

  it('sends a form and tells how far it is', async () => {
    const done = upload();
    expect(request.open).toHaveBeenCalledWith('POST', '/api/sessions/s1/upload-recording');
    expect(request.send.mock.calls[0][0].get('file').type).toBe('audio/wav');
    request.upload.dispatchEvent(Object.assign(new Event('progress'), { loaded: 1, total: 4 }));
    request.answer(200, { status: 'ok' });
    await done;
    expect(onProgress).toHaveBeenCalledWith(0.25);
  });

  it('fails with the reason of the service', async () => {
    const done = upload();
    request.answer(413, { code: 'too_large', error: '200 MB at most' });
    await expect(done).rejects.toMatchObject({ code: 'too_large', detail: '200 MB at most' });
  });

  it('can be given up', async () => {
    const done = upload();
    aborter.abort();
    await expect(done).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('sharing', () => {
  let steps;
  let dialog;
  let api;

  class FakeDialog extends Emitter {
    open = (known) => steps.push(['open', known]);
    showProgress = (key, share) => steps.push([key, share]);
    tell = (key, failure) => steps.push([key, failure.code]);
    offerRetry = (key, failure) => steps.push([key, failure.code]);
    showLink = (link) => steps.push(['link', link]);
    showCopied = (copied) => steps.push(['copied', copied]);
  }

  const share = async (comment, { recording = null, copy = async () => true } = {}) => {
    const controller = new ShareController({
      appType: 'omni_duplex', recording: async () => recording, recent, api, copy,
      linkTo: (id) => `https://here/s/${id}`,
      newDialog: () => (dialog = new FakeDialog()),
    });
    await controller.open('s1');
    dialog.emit('share', { comment });
    await vi.waitFor(() => expect(steps.at(-1)[0]).toBe('copied'));
    return controller;
  };

  beforeEach(() => {
    steps = [];
    api = { saveComment: vi.fn(async () => {}), uploadRecording: vi.fn(async () => {}) };
  });

  it('saves the comment, uploads, remembers, and copies the link, in this order', async () => {
    api.uploadRecording = vi.fn(async (id, blob, { onProgress }) => onProgress(0.5));
    await share('Listen!', { recording: new Blob(['12345']) });
    expect(steps).toEqual([
      ['open', { comment: '', bytes: 5 }],
      ['share.saving', null],
      ['share.uploading', 0],
      ['share.uploading', 0.5],
      ['link', 'https://here/s/s1'],
      ['copied', true],
    ]);
    expect(api.saveComment).toHaveBeenCalledWith('s1', 'Listen!');
    expect(recent.list).toMatchObject([{ id: 's1', appType: 'omni_duplex' }]);
  });

  it('without comment and recording only gives the link', async () => {
    await share('');
    expect(steps.map(([step]) => step)).toEqual(['open', 'link', 'copied']);
  });

  it('goes on when the comment cannot be saved', async () => {
    api.saveComment.mockRejectedValue(new Failure('timeout'));
    await share('Listen!');
    expect(steps.map(([step]) => step)).toEqual([
      'open', 'share.saving', 'share.comment_failed', 'link', 'copied',
    ]);
  });

  it('gives the link when the upload fails, and tries again when asked', async () => {
    api.uploadRecording.mockRejectedValueOnce(new Failure('connection_lost'));
    await share('', { recording: new Blob(['12345']) });
    expect(steps).toContainEqual(['share.upload_failed', 'connection_lost']);
    expect(steps).toContainEqual(['link', 'https://here/s/s1']);
    steps = [];
    dialog.emit('retry', {});
    await vi.waitFor(() => expect(steps.at(-1)[0]).toBe('link'));
    expect(api.uploadRecording).toHaveBeenCalledTimes(2);
  });

  it('uploads nothing that the service would refuse', async () => {
    await share('', { recording: { size: MAX_RECORDING_BYTES + 1 } });
    expect(steps[0]).toEqual(['open', { comment: '', bytes: MAX_RECORDING_BYTES + 1 }]);
    expect(api.uploadRecording).not.toHaveBeenCalled();
  });

  it('a second time uploads nothing again, and shows the comment that there is', async () => {
    const controller = await share('Listen!', { recording: new Blob(['12345']) });
    steps = [];
    await controller.open('s1');
    expect(steps).toEqual([['open', { comment: 'Listen!', bytes: 0 }]]);
  });

  it('tells when the browser does not copy', async () => {
    await share('', { copy: async () => false });
    expect(steps.at(-1)).toEqual(['copied', false]);
  });

  it('is given up when the dialog is closed during the upload', async () => {
    let failUpload;
    api.uploadRecording = (id, blob, { signal }) =>
      new Promise((_, reject) => {
        failUpload = reject;
        signal.addEventListener('abort', () => reject(new Failure('cancelled')));
      });
    const sharing = share('', { recording: new Blob(['12345']) }).catch(() => {});
    await vi.waitFor(() => expect(failUpload).toBeTypeOf('function'));
    dialog.emit('close', {});
    await Promise.resolve();
    await Promise.resolve();
    expect(steps.map(([step]) => step)).toEqual(['open', 'share.uploading']);
    expect(recent.list).toEqual([]);
    steps.push(['copied']);
    await sharing;
  });
});

describe('the dialog', () => {
  const open = (known = { comment: '', bytes: 0 }) => {
    const dialog = new ShareDialog();
    dialog.open(known);
    return dialog;
  };
  const find = (selector) => document.querySelector(`dialog.share ${selector}`);

  it('tells who can listen, and how large the recording is', () => {
    open({ comment: '', bytes: 3 * 1024 * 1024 });
    expect(find('.share-who').textContent).toContain('Anyone with the link');
    expect(find('.share-local').textContent).toContain('3.0 MiB');
  });

  it('warns before starting that a recording is too large', () => {
    open({ comment: '', bytes: MAX_RECORDING_BYTES + 1 });
    expect(find('.share-local').textContent).toContain('the service takes 200 MiB at most');
  });

  it('shares by Ctrl or Command and Enter, once', () => {
    const dialog = open();
    const shared = vi.fn();
    dialog.on('share', shared);
    find('textarea').value = ' Listen! ';
    for (const modifier of ['ctrlKey', 'metaKey']) {
      const event = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, [modifier]: true });
      find('textarea').dispatchEvent(event);
    }
    expect(shared.mock.calls).toEqual([[{ comment: 'Listen!' }]]);
  });

  it('shows a link that can be selected where the browser does not copy', () => {
    const dialog = open();
    dialog.showLink('https://here/s/s1');
    dialog.showCopied(false);
    expect(find('input').value).toBe('https://here/s/s1');
    expect(find('.share-result').textContent).toContain('Select the link');
    expect(find('.share-ask').hidden).toBe(true);
  });
});

describe('the button', () => {
  it('waits for a recording, and says why', () => {
    const button = document.createElement('button');
    const share = new ShareOnDemand({ button, appType: 'chat' });
    expect([button.disabled, button.title]).toEqual([true, expect.stringContaining('no recording')]);
    share.offer('s1');
    expect([button.disabled, button.title]).toEqual([false, 'Share']);
    share.offer(null);
    expect(button.disabled).toBe(true);
  });
});
