/**
 * Shares a recording: keeps the comment, uploads what the page has recorded itself, remembers the
 * link and copies it. Whatever fails on the way is told, and the link is there in the end.
 */

import { translator } from '../i18n/index.js';
import { asFailure } from '../lib/failure.js';
import { MAX_RECORDING_BYTES } from '../lib/limits.js';
import { replayPath, saveComment, uploadRecording } from '../net/sessions-api.js';
import { RecentSessions } from '../state/recent.js';
import { copyText } from '../ui/clipboard.js';
import { ShareDialog } from '../ui/share-dialog.js';
import { useStylesheet } from '../ui/stylesheet.js';

const WORDS = {
  en: () => import('../i18n/share-en.js'),
  zh: () => import('../i18n/share-zh.js'),
};

/** @param {object} parts as in share-on-demand.js @returns {Promise<ShareController>} */
export async function openSharing({ appType, storage, noteKey, recording = async () => null }) {
  await Promise.all([translator.add(WORDS), useStylesheet('share')]);
  return new ShareController({
    appType,
    recording,
    recent: new RecentSessions(storage),
    api: { saveComment, uploadRecording },
    copy: copyText,
    linkTo: (id) => location.origin + replayPath(id),
    newDialog: () => new ShareDialog(noteKey),
  });
}

export class ShareController {
  #parts;
  #comments = new Map(); // by session, as they were saved
  #uploaded = new WeakSet();

  /**
   * @param {{appType: string, recording: () => Promise<?Blob>, recent: RecentSessions,
   *          api: object, copy: (text: string) => Promise<boolean>,
   *          linkTo: (id: string) => string, newDialog: () => ShareDialog}} parts
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {string} id of the recording */
  async open(id) {
    const dialog = this.#parts.newDialog();
    const recording = await this.#parts.recording();
    const sharing = { id, dialog, recording, aborter: new AbortController() };
    dialog.on('share', ({ comment }) => this.#share(sharing, comment));
    dialog.on('retry', () => this.#uploadAgain(sharing));
    dialog.on('copy', () => this.#copy(sharing));
    dialog.on('close', () => sharing.aborter.abort());
    dialog.open({
      comment: this.#comments.get(id) ?? '',
      bytes: this.#isNew(recording) ? recording.size : 0,
    });
  }

  async #share(sharing, comment) {
    const { id, dialog, aborter } = sharing;
    await this.#saveComment(id, comment, dialog);
    await this.#upload(sharing);
    if (aborter.signal.aborted) return;
    const { recent, appType, linkTo } = this.#parts;
    recent.add({ id, appType });
    dialog.showLink(linkTo(id));
    await this.#copy(sharing);
  }

  async #saveComment(id, comment, dialog) {
    if (comment === (this.#comments.get(id) ?? '')) return;
    dialog.showProgress('share.saving', null);
    try {
      await this.#parts.api.saveComment(id, comment);
      this.#comments.set(id, comment);
    } catch (error) {
      dialog.tell('share.comment_failed', asFailure(error));
    }
  }

  async #upload({ id, dialog, recording, aborter: { signal } }) {
    if (!this.#isNew(recording) || recording.size > MAX_RECORDING_BYTES) return;
    const onProgress = (share) => dialog.showProgress('share.uploading', share);
    onProgress(0);
    try {
      await this.#parts.api.uploadRecording(id, recording, { onProgress, signal });
      this.#uploaded.add(recording);
    } catch (error) {
      if (!signal.aborted) dialog.offerRetry('share.upload_failed', asFailure(error));
    }
  }

  async #uploadAgain(sharing) {
    await this.#upload(sharing);
    if (!sharing.aborter.signal.aborted) sharing.dialog.showLink(this.#parts.linkTo(sharing.id));
  }

  async #copy({ id, dialog }) {
    dialog.showCopied(await this.#parts.copy(this.#parts.linkTo(id)));
  }

  #isNew(recording) {
    return recording !== null && !this.#uploaded.has(recording);
  }
}
