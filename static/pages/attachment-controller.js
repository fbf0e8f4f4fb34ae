/** Turns files and recordings into items of a message. */

import { decodeAudioFile } from '../audio/file-audio.js';
import { t } from '../i18n/index.js';
import { prepareImageFile } from '../image/image-file.js';
import { bytesToBase64 } from '../lib/base64.js';
import { asFailure, Failure } from '../lib/failure.js';
import { MAX_ATTACHMENTS, SAMPLE_RATE } from '../lib/limits.js';
import { floatsToBytes } from '../lib/pcm.js';
import { encodeWav } from '../lib/wav.js';
import { AttachmentList } from '../ui/attachment-list.js';

const IMAGE_NAME = /\.(jpe?g|png|webp|gif|bmp|avif|heic)$/i;
const AUDIO_NAME = /\.(wav|mp3|m4a|aac|ogg|opus|flac)$/i;

export class AttachmentController {
  #items = new Map(); // id -> item; null while it is being prepared
  #nextId = 1;
  #sentUrls = [];
  #view;
  #toaster;
  #onChange;

  /** @param {{list: HTMLElement, toaster: object, onChange: (state: object) => void}} options */
  constructor({ list, toaster, onChange }) {
    this.#view = new AttachmentList(list, (id) => this.#discard(id));
    this.#toaster = toaster;
    this.#onChange = onChange;
  }

  addFiles(files) {
    return Promise.all(files.map((file) => this.#addFile(file)));
  }

  /** @param {Float32Array} samples at 16 kHz */
  addRecording(samples) {
    this.#show(this.#newId(), this.#audioItem(samples, t('recording.name')));
  }

  /** Hands the items over to a message; their object URLs stay valid until `release`. */
  take() {
    const items = [...this.#items.values()];
    for (const id of [...this.#items.keys()]) this.#remove(id);
    this.#sentUrls.push(...items.map((item) => item.url));
    return items;
  }

  /** Frees the pictures and sounds of messages that are gone. */
  release() {
    for (const url of this.#sentUrls.splice(0)) URL.revokeObjectURL(url);
  }

  async #addFile(file) {
    if (this.#items.size >= MAX_ATTACHMENTS) {
      this.#toaster.failure(new Failure('too_many_files', { params: { limit: MAX_ATTACHMENTS } }));
      return;
    }
    const id = this.#newId();
    this.#items.set(id, null);
    this.#view.addPreparing(id, file.name);
    this.#changed();
    try {
      const item = await this.#itemOf(file);
      if (this.#items.has(id)) this.#show(id, item);
      else URL.revokeObjectURL(item.url); // removed while it was being prepared
    } catch (error) {
      this.#remove(id);
      this.#toaster.failure(asFailure(error));
    }
  }

  #itemOf(file) {
    const { type, name } = file;
    if (type.startsWith('image/') || IMAGE_NAME.test(name)) return this.#imageItem(file);
    if (type.startsWith('audio/') || AUDIO_NAME.test(name)) return this.#audioFileItem(file);
    throw new Failure('file_unsupported', { params: { name } });
  }

  async #imageItem(file) {
    const { blob, width, height, redrawn } = await prepareImageFile(file);
    const data = bytesToBase64(new Uint8Array(await blob.arrayBuffer()));
    if (redrawn) this.#toaster.news('file.redrawn', { name: file.name });
    return { type: 'image', data, name: file.name, width, height, url: URL.createObjectURL(blob) };
  }

  async #audioFileItem(file) {
    const { samples, shortened } = await decodeAudioFile(file);
    if (shortened) this.#toaster.news('file.shortened', { name: file.name });
    return this.#audioItem(samples, file.name);
  }

  #audioItem(samples, name) {
    const file = new Blob([encodeWav(samples, SAMPLE_RATE)], { type: 'audio/wav' });
    const url = URL.createObjectURL(file);
    const data = bytesToBase64(floatsToBytes(samples));
    return { type: 'audio', data, name, durationS: samples.length / SAMPLE_RATE, url };
  }

  #newId() {
    this.#nextId += 1;
    return this.#nextId;
  }

  #show(id, item) {
    this.#items.set(id, item);
    this.#view.add(id, item);
    this.#changed();
  }

  #discard(id) {
    URL.revokeObjectURL(this.#items.get(id)?.url);
    this.#remove(id);
  }

  #remove(id) {
    this.#items.delete(id);
    this.#view.remove(id);
    this.#changed();
  }

  #changed() {
    const items = [...this.#items.values()];
    this.#onChange({ count: items.length, preparing: items.includes(null) });
  }
}
