/** The field where a message is written, and every way a file can enter it. */

import { Emitter } from '../lib/emitter.js';

const MAX_HEIGHT_PX = 240;

/** Events: `submit` {text}, `draft` (its text, whenever it changes), `stop`, `files` (File[]). */
export class Composer extends Emitter {
  #form;
  #draft;
  #send;
  #stop;
  #files;
  #hasAttachments = false;
  #blocked = false;

  /** @param {Document} root holds #composer, #draft, #send, #stop, and buttons and fields of files */
  constructor(root) {
    super();
    const byId = (id) => root.getElementById(id);
    [this.#form, this.#draft] = [byId('composer'), byId('draft')];
    [this.#send, this.#stop, this.#files] = [byId('send'), byId('stop'), byId('files')];
    this.#form.addEventListener('submit', (event) => this.#submit(event));
    this.#draft.addEventListener('input', () => this.#changed());
    this.#draft.addEventListener('keydown', (event) => this.#enter(event));
    this.#draft.addEventListener('paste', (event) => this.#paste(event));
    this.#stop.addEventListener('click', () => this.emit('stop'));
    byId('attach').addEventListener('click', () => this.chooseFiles());
    byId('take-photo').addEventListener('click', () => byId('photo').click());
    for (const field of [this.#files, byId('photo')]) {
      field.addEventListener('change', () => {
        this.emit('files', [...field.files]);
        field.value = '';
      });
    }
    this.#refresh();
  }

  get text() {
    return this.#draft.value;
  }

  set text(value) {
    this.#draft.value = value;
    this.#changed();
  }

  /** What stands in the place of the field, or null for the field. @param {?HTMLElement} other */
  replaceDraft(other) {
    this.#draft.hidden = other !== null;
    this.#draft.parentElement.querySelector('.hold')?.remove();
    if (other !== null) this.#draft.after(other);
    else this.#refresh();
  }

  focus() {
    this.#draft.focus();
  }

  chooseFiles() {
    this.#files.click();
  }

  /** While an answer is under way, Stop takes the place of Send. */
  setAnswering(answering) {
    const hadFocus = [this.#send, this.#stop].includes(document.activeElement);
    this.#send.hidden = answering;
    this.#stop.hidden = !answering;
    if (hadFocus) (answering ? this.#stop : this.#draft).focus();
    this.#refresh();
  }

  /** @param {{count: number, preparing: boolean}} attachments */
  setAttachments({ count, preparing }) {
    this.#hasAttachments = count > 0;
    this.#blocked = preparing;
    this.#refresh();
  }

  disable() {
    for (const control of this.#form.elements) control.disabled = true;
  }

  get #canSend() {
    return !this.#send.hidden && !this.#blocked &&
      (this.#hasAttachments || this.text.trim() !== '');
  }

  #submit(event) {
    event.preventDefault();
    if (this.#canSend) this.emit('submit', { text: this.text.trim() });
  }

  #enter(event) {
    const composing = event.isComposing || event.keyCode === 229; // an input method is at work
    if (event.key !== 'Enter' || event.shiftKey || composing) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  #paste(event) {
    const { files, types } = event.clipboardData;
    if (files.length === 0 || types.includes('text/plain')) return;
    event.preventDefault();
    this.emit('files', [...files]);
  }

  #changed() {
    this.#refresh();
    this.emit('draft', this.text);
  }

  #refresh() {
    this.#send.setAttribute('aria-disabled', String(!this.#canSend));
    this.#draft.style.height = 'auto';
    this.#draft.style.height = `${Math.min(this.#draft.scrollHeight, MAX_HEIGHT_PX)}px`;
  }
}
