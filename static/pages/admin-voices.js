/** Uploaded voices: listening to them, adding one, deleting one. */

import { base64ToBytes } from '../lib/base64.js';
import { asFailure, Failure } from '../lib/failure.js';
import { MAX_AUDIO_FILE_BYTES, SAMPLE_RATE } from '../lib/limits.js';
import { bytesToFloats } from '../lib/pcm.js';
import { encodeWav } from '../lib/wav.js';
import { deleteVoice, uploadVoice } from '../net/admin-api.js';
import { loadVoice } from '../net/voices-api.js';
import { audioPill } from '../ui/audio-pill.js';
import { actionColumn, stampColumn, textColumn, timeColumn } from '../ui/columns.js';
import { DataTable } from '../ui/data-table.js';
import { element } from '../ui/dom.js';
import { rowButton } from '../ui/row-button.js';

const BYTES_PER_MEGABYTE = 1_000_000;

const byId = (id) => document.getElementById(id);

export class AdminVoices {
  #changes;
  #toaster;
  #form = byId('voice-form');
  #file = byId('voice-file');
  #name = byId('voice-name');
  #soundUrl = null;

  constructor({ poller, changes, toaster }) {
    this.#changes = changes;
    this.#toaster = toaster;
    const table = this.#table();
    poller.on('voices', (voices) =>
      table.show(voices.map((voice) => ({ ...voice, duration_s: voice.duration_ms / 1000 }))),
    );
    this.#file.addEventListener('change', () => this.#suggestName());
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#upload();
    });
  }

  #table() {
    return new DataTable(byId('voices-table'), {
      captionKey: 'admin.voices',
      emptyKey: 'admin.voices_empty',
      keyOf: (voice) => voice.id,
      columns: [
        textColumn('admin.column.name', 'name'),
        {
          titleKey: 'admin.column.source',
          value: (voice) => voice.source_type,
          cell: ({ source_type: source }) => ({ i18n: `admin.source.${source}` }),
          minor: true,
        },
        timeColumn('admin.column.length', 'duration_s', { minor: true }),
        stampColumn('admin.column.created', 'created_at'),
        {
          titleKey: 'admin.voice_listen',
          value: (voice) => voice.id,
          build: (voice) => this.#listenButton(voice),
          unsorted: true,
        },
        actionColumn(
          (voice) => voice.id,
          (voice) => this.#deletion(voice),
        ),
      ],
    });
  }

  #listenButton({ id, name }) {
    const onclick = () => this.#listen(id);
    const words = { key: 'admin.voice_listen', nameKey: 'admin.voice_listen_name' };
    return rowButton({ ...words, params: { name }, onclick, harmless: true });
  }

  #deletion({ id, name }) {
    return {
      key: 'admin.delete',
      nameKey: 'admin.delete_name',
      params: { name },
      onclick: () => this.#changes.ask('delete_voice', () => deleteVoice(id), { name }),
    };
  }

  async #listen(id) {
    try {
      const { data, name, durationS } = await loadVoice(id);
      const wav = encodeWav(bytesToFloats(base64ToBytes(data)), SAMPLE_RATE);
      URL.revokeObjectURL(this.#soundUrl);
      this.#soundUrl = URL.createObjectURL(new Blob([wav], { type: 'audio/wav' }));
      const pill = audioPill({ url: this.#soundUrl, name, durationS });
      byId('voice-player').replaceChildren(element('span', { text: name }), pill);
      const play = pill.querySelector('button');
      play.click();
      play.focus();
    } catch (error) {
      this.#toaster.failure(asFailure(error));
    }
  }

  #suggestName() {
    const [file] = this.#file.files;
    if (file === undefined || this.#name.value !== '') return;
    this.#name.value = file.name.replace(/\.[^.]*$/, '').slice(0, this.#name.maxLength);
  }

  async #upload() {
    const [file] = this.#file.files;
    const name = this.#name.value;
    if (file.size > MAX_AUDIO_FILE_BYTES) {
      const megabytes = MAX_AUDIO_FILE_BYTES / BYTES_PER_MEGABYTE;
      const params = { name: file.name, megabytes };
      this.#toaster.failure(new Failure('file_too_large', { params }));
      return;
    }
    const made = await this.#changes.make(
      async () => uploadVoice(name, new Uint8Array(await file.arrayBuffer())),
      ({ warning }) =>
        warning
          ? { key: 'admin.voice_warning', params: { name, warning } }
          : { key: 'admin.voice_uploaded', params: { name } },
    );
    if (made) this.#form.reset();
  }
}
