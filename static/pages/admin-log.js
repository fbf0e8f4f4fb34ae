/** The end of the log of one process, or those lines of it that have some words in them. */

import { loadLog } from '../net/admin-api.js';
import { element } from '../ui/dom.js';
import { setText } from '../ui/set-text.js';

const PROCESSES = ['gateway', 'supervisor']; // until the service names all that it has
const LINES = [100, 200, 500, 2000];
const AT_END_PX = 8;

const byId = (id) => document.getElementById(id);

export class AdminLog {
  #poller;
  #process = byId('log-process');
  #lines = byId('log-lines');
  #follow = byId('log-follow');
  #text = byId('log-text');
  #none = byId('log-none');
  #filter = byId('log-filter');
  #log = null;
  #asked = false;

  constructor({ poller }) {
    this.#poller = poller;
    this.#offer(PROCESSES);
    for (const count of LINES) {
      this.#lines.append(element('option', { value: String(count), text: String(count) }));
    }
    byId('log-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.#follow.addEventListener('change', () => this.#follow.checked && this.#ask());
    for (const choice of [this.#process, this.#lines]) {
      choice.addEventListener('change', () => this.#log && this.#ask());
    }
    this.#filter.addEventListener('input', () => this.#log && this.#showLines());
    poller.on('log', (log) => this.#show(log));
  }

  /** Whether it is to be asked for. */
  get isWanted() {
    return this.#asked || this.#follow.checked;
  }

  /** @returns {Promise<?object>} null when the process has no log */
  async load() {
    this.#asked = false;
    try {
      return await loadLog(this.#process.value, this.#lines.value);
    } catch (failure) {
      if (failure.code === 'not_found') return null;
      throw failure;
    }
  }

  #ask() {
    this.#asked = true;
    void this.#poller.hurry(['log']);
  }

  #show(log) {
    this.#log = log;
    if (log === null) {
      this.#follow.checked = false;
      this.#tellNone('admin.log_none', { process: this.#process.value });
      return;
    }
    this.#offer(log.processes);
    this.#showLines();
  }

  #showLines() {
    const words = this.#filter.value.trim().toLowerCase();
    const lines = this.#log.lines.filter((line) => line.toLowerCase().includes(words));
    if (lines.length === 0 && words !== '') {
      this.#tellNone('admin.log_no_match');
      return;
    }
    [this.#text.hidden, this.#none.hidden] = [false, true];
    const { scrollHeight, scrollTop, clientHeight } = this.#text;
    const wasAtEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    this.#text.textContent = lines.join('\n');
    if (wasAtEnd) this.#text.scrollTop = this.#text.scrollHeight;
  }

  /** Why there are no lines. */
  #tellNone(i18n, params = {}) {
    [this.#text.hidden, this.#none.hidden] = [true, false];
    setText(this.#none, { i18n, params });
  }

  #offer(processes) {
    const offered = [...this.#process.options].map(({ value }) => value);
    if (offered.join() === processes.join()) return;
    const chosen = this.#process.value;
    const options = processes.map((name) => element('option', { value: name, text: name }));
    this.#process.replaceChildren(...options);
    if (processes.includes(chosen)) this.#process.value = chosen;
  }
}
