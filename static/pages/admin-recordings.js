/** What recordings take, and the recordings themselves, a page at a time. */

import { sizeText } from '../lib/number-text.js';
import { deleteRecording, loadRecordings } from '../net/admin-api.js';
import { replayPath } from '../net/sessions-api.js';
import { actionColumn, stampColumn, timeColumn, typeColumn } from '../ui/columns.js';
import { DataTable } from '../ui/data-table.js';
import { element } from '../ui/dom.js';
import { REQUEST_TYPES } from '../ui/request-type.js';
import { setText } from '../ui/set-text.js';

const PAGE_SIZE = 25;
const FACTS = ['sessions', 'size', 'free', 'kept', 'limit', 'cleaned'];
const NO_LIMIT = { i18n: 'admin.storage.no_limit' };

const byId = (id) => document.getElementById(id);

export class AdminRecordings {
  #poller;
  #changes;
  #type = byId('recording-type');
  #date = byId('recording-date');
  #page = 1;
  #table;
  #facts = new Map();

  constructor({ poller, changes }) {
    this.#poller = poller;
    this.#changes = changes;
    this.#table = this.#newTable();
    this.#listFacts();
    this.#type.append(element('option', { value: '', i18n: 'admin.filter_any' }));
    for (const value of REQUEST_TYPES) {
      this.#type.append(element('option', { value, i18n: `admin.type.${value}` }));
    }
    for (const filter of [this.#type, this.#date]) {
      filter.addEventListener('change', () => this.#turnTo(1));
    }
    byId('newer').addEventListener('click', () => this.#turnTo(this.#page - 1));
    byId('older').addEventListener('click', () => this.#turnTo(this.#page + 1));
    poller.on('storage', (storage) => this.#showStorage(storage));
    poller.on('recordings', (recordings) => this.#show(recordings));
  }

  /** The page and kind that were chosen. */
  load() {
    const [type, date] = [this.#type.value, this.#date.value];
    return loadRecordings({ page: this.#page, pageSize: PAGE_SIZE, type, date });
  }

  #turnTo(page) {
    this.#page = page;
    void this.#poller.hurry(['recordings']);
  }

  #show({ total, page, sessions }) {
    if (sessions.length === 0 && total > 0) {
      this.#turnTo(Math.ceil(total / PAGE_SIZE)); // the last page was emptied
      return;
    }
    this.#table.show(sessions);
    const from = (page - 1) * PAGE_SIZE + 1;
    const params = { from, to: from + sessions.length - 1, total };
    setText(byId('page-of'), { i18n: 'admin.page_of', params });
    byId('recording-pages').hidden = total <= PAGE_SIZE;
    byId('newer').disabled = page === 1;
    byId('older').disabled = params.to >= total;
  }

  #showStorage(storage) {
    const { max_storage_gb: limitGb, last_cleanup: cleaned } = storage;
    const days = storage.session_retention_days;
    const kept = days < 0 ? NO_LIMIT : { i18n: 'admin.storage.days', params: { count: days } };
    this.#tell('sessions', String(storage.sessions));
    this.#tell('size', sizeText(storage.size_bytes));
    this.#tell('free', sizeText(storage.free_bytes));
    this.#tell('kept', kept);
    this.#tell('limit', limitGb < 0 ? NO_LIMIT : `${limitGb} GiB`);
    this.#tell('cleaned', cleaned === null ? '–' : String(cleaned.deleted));
    byId('recording-off').hidden = storage.recording_enabled;
  }

  #tell(fact, text) {
    setText(this.#facts.get(fact), text);
  }

  #listFacts() {
    for (const name of FACTS) {
      const value = element('dd', { text: '–' });
      this.#facts.set(name, value);
      const title = element('dt', { i18n: `admin.storage.${name}` });
      byId('storage').append(element('div', {}, title, value));
    }
  }

  #newTable() {
    const length = timeColumn('admin.column.length', 'duration_s');
    const goesOn = { i18n: 'admin.still_going' };
    return new DataTable(byId('recordings-table'), {
      captionKey: 'admin.recordings',
      emptyKey: 'admin.recordings_empty',
      keyOf: (recording) => recording.session_id,
      columns: [
        {
          titleKey: 'admin.column.session',
          value: (recording) => recording.session_id,
          long: true,
          build: ({ session_id: id }) =>
            element('a', { href: replayPath(id), target: '_blank', text: id }),
        },
        typeColumn('app_type', { minor: true }),
        stampColumn('admin.column.created_utc', 'created_at'),
        { ...length, cell: (row) => (row.duration_s === null ? goesOn : length.cell(row)) },
        {
          titleKey: 'admin.column.size',
          value: (recording) => recording.size_bytes,
          cell: (recording) => sizeText(recording.size_bytes),
          numeric: true,
          minor: true,
        },
        actionColumn(
          (recording) => recording.session_id,
          (recording) => this.#deletion(recording),
        ),
      ],
    });
  }

  #deletion({ session_id: name }) {
    return {
      key: 'admin.delete',
      nameKey: 'admin.delete_name',
      params: { name },
      onclick: () => this.#changes.ask('delete_recording', () => deleteRecording(name), { name }),
    };
  }
}
