/** Asks how a recording is to be shared, tells how that goes, and shows the link. */

import { localize } from '../i18n/index.js';
import { Emitter } from '../lib/emitter.js';
import { MAX_COMMENT_CHARACTERS, MAX_RECORDING_BYTES } from '../lib/limits.js';
import { sizeText } from '../lib/number-text.js';
import { closeOnBackdrop } from './dialog.js';
import { element, icon, iconButton } from './dom.js';
import { failureText } from './failure-text.js';

/** Events: `share` ({comment}), `retry`, `copy`, `close`. */
export class ShareDialog extends Emitter {
  #dialog;
  #form;
  #comment;
  #counter = element('p', { id: 'share-help', class: 'help' });
  #local = element('p', { class: 'share-local share-ask', hidden: true });
  #progressText = element('p');
  #bar = element('progress', { max: '1', named: 'share.uploading' });
  #progress = element('div', { class: 'share-progress', role: 'status', hidden: true });
  #problems = element('div', { class: 'share-problems' });
  #retry = null;
  #link;
  #copied = element('p', { role: 'status' });
  #result = element('div', { class: 'share-result', hidden: true });
  #go;
  #cancel;

  /** @param {string} [noteKey] what else is to be known */
  constructor(noteKey) {
    super();
    this.#comment = element('textarea', {
      id: 'share-comment', rows: '3', maxlength: String(MAX_COMMENT_CHARACTERS),
      'aria-describedby': 'share-help', oninput: () => this.#count(),
    });
    this.#link = element('input', {
      type: 'text', readonly: true, named: 'share.link', onfocus: () => this.#link.select(),
    });
    this.#go = element('button', { type: 'submit', class: 'button primary', i18n: 'share.go' });
    this.#cancel = textButton('action.cancel', () => this.#dialog.close());
    this.#progress.append(this.#progressText, this.#bar);
    this.#form = this.#buildForm(noteKey);
    this.#dialog = element('dialog', { class: 'share', 'aria-labelledby': 'share-title' }, this.#form);
    closeOnBackdrop(this.#dialog);
    this.#dialog.addEventListener('keydown', (event) => this.#press(event));
    this.#dialog.addEventListener('close', () => {
      this.#dialog.remove();
      this.emit('close', {});
    });
  }

  /** @param {{comment: string, bytes: number}} known `bytes` of what is to be uploaded, 0 for nothing */
  open({ comment, bytes }) {
    this.#comment.value = comment;
    this.#count();
    this.#local.hidden = bytes === 0;
    const sizes = { size: sizeText(bytes), limit: sizeText(MAX_RECORDING_BYTES) };
    localize(this.#local, bytes > MAX_RECORDING_BYTES ? 'share.local_large' : 'share.local', sizes);
    document.body.append(this.#dialog);
    this.#dialog.showModal();
    this.#comment.focus();
  }

  /** @param {string} key what is done @param {?number} share of it, from 0 to 1, where known */
  showProgress(key, share) {
    this.#progress.hidden = false;
    localize(this.#progressText, key);
    this.#bar.hidden = share === null;
    this.#bar.value = share ?? 0;
    if (share !== null) this.#retry?.remove();
  }

  /** Something did not work, and sharing goes on. @param {import('../lib/failure.js').Failure} failure */
  tell(key, failure) {
    return this.#addProblem(key, failure);
  }

  /** As tell(), with a button that tries it again. */
  offerRetry(key, failure) {
    const again = textButton('action.retry', () => this.emit('retry', {}));
    this.#retry = this.#addProblem(key, failure, again);
  }

  /** @param {string} link that is ready */
  showLink(link) {
    this.#progress.hidden = true;
    this.#result.hidden = false;
    this.#link.value = link;
    this.#result.querySelector('a').href = link;
    for (const field of this.#form.querySelectorAll('.share-ask')) field.hidden = true;
    this.#go.hidden = true;
    localize(this.#cancel, 'action.close');
    this.#link.focus();
  }

  /** @param {boolean} copied whether the link is in the clipboard now */
  showCopied(copied) {
    localize(this.#copied, copied ? 'share.copied' : 'share.not_copied');
    if (!copied) this.#link.select();
  }

  #buildForm(noteKey) {
    const note = noteKey === undefined ? [] : [element('p', { i18n: noteKey })];
    const field = element('div', { class: 'field share-ask' },
      element('label', { for: 'share-comment', i18n: 'share.comment' }), this.#comment, this.#counter);
    const open = element('a', { class: 'button', target: '_blank', i18n: 'share.open' });
    const row = element('div', { class: 'field share-link' }, this.#link,
      iconButton('copy', 'share.copy', () => this.emit('copy', {})), open);
    this.#result.append(this.#copied, row);
    const onsubmit = (event) => {
      event.preventDefault();
      this.#share();
    };
    return element('form', { onsubmit, novalidate: true },
      element('h2', { id: 'share-title', i18n: 'share.title' }),
      element('p', { class: 'share-who' }, icon('info'), element('span', { i18n: 'share.who' })),
      ...note, this.#local, field, this.#progress, this.#problems, this.#result,
      element('p', { class: 'help share-ask share-keys', i18n: 'share.keys' }),
      element('div', { class: 'dialog-actions' }, this.#cancel, this.#go));
  }

  #addProblem(key, failure, ...more) {
    const title = element('p', { class: 'failure-title', i18n: key });
    const text = element('div', {}, title, ...failureText(failure), ...more);
    const problem = element('div', { class: 'failure', role: 'alert' }, icon('alert'), text);
    this.#problems.append(problem);
    return problem;
  }

  #share() {
    if (this.#go.disabled) return;
    this.#go.disabled = true;
    this.#comment.readOnly = true;
    this.emit('share', { comment: this.#comment.value.trim() });
  }

  #count() {
    localize(this.#counter, 'share.comment_help', {
      count: this.#comment.value.length,
      limit: MAX_COMMENT_CHARACTERS,
    });
  }

  #press(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.#share();
    if (event.key === 'Escape') event.stopPropagation(); // closes the dialog and nothing else
  }
}

function textButton(i18n, onclick) {
  return element('button', { type: 'button', class: 'button', i18n, onclick });
}
