/** What is known of a recorded session, above the recording. */

import { localize, t, translator } from '../i18n/index.js';
import { clockText } from '../lib/clock-text.js';
import { copyText } from './clipboard.js';
import { element, icon, iconButton } from './dom.js';
import { typeBadge } from './type-badge.js';

const GIVEN_TITLE = /^对话 \d\d-\d\d \d\d:\d\d$/; // by the recorder, which knows no time zone

export class SessionHeader {
  #parts;
  #badge = element('p', { class: 'session-kind' });
  #heading = element('h1');
  #facts = element('dl', { class: 'session-facts' });
  #comment = element('figure', { class: 'session-comment', hidden: true });
  #config = element('details', { class: 'session-config', hidden: true });
  #actions = element('div', { class: 'session-actions' });
  #session = null;

  /**
   * @param {{container: HTMLElement, id: string, toaster: object, onDelete: () => void}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    parts.container.append(
      this.#badge, this.#heading, this.#facts, this.#comment, this.#actions, this.#config,
    );
    localize(this.#heading, 'replay.heading');
  }

  /** In the visitor's language and time zone. */
  get title() {
    const { title, created_at: createdAt } = this.#session;
    if (title && !GIVEN_TITLE.test(title)) return title;
    return t('replay.heading_of', { date: dateText(createdAt) });
  }

  /** @param {object} session `meta.json` */
  show(session) {
    this.#session = session;
    delete this.#heading.dataset.i18n;
    this.#badge.append(typeBadge(session.app_type));
    this.#actions.append(
      element('button', { type: 'button', class: 'button', onclick: () => this.#copy(location.href) },
        icon('link'), element('span', { i18n: 'replay.copy_link' })),
      element('a', { class: 'button', href: `/api/sessions/${encodeURIComponent(this.#parts.id)}/download` },
        icon('save'), element('span', { i18n: 'replay.download' })),
    );
    this.#showConfig(session.config ?? {});
    this.localize();
  }

  /** Renders dates and times again, after a change of language, too. */
  localize() {
    if (this.#session === null) return;
    const { created_at: createdAt, duration_s: durationS, worker_id: worker } = this.#session;
    this.#heading.textContent = this.title;
    document.title = `${this.title} · MiniCPM-o 4.5`;
    const date = element('time', { datetime: createdAt, text: dateText(createdAt) });
    const copyId = iconButton('copy', 'replay.copy_id', () => this.#copy(this.#parts.id));
    this.#facts.replaceChildren(
      fact('replay.created', date),
      ...(durationS === null ? [] : [fact('replay.duration', clockText(durationS))]),
      ...(worker === null ? [] : [fact('replay.worker', String(worker))]),
      fact('replay.id', element('code', { text: this.#parts.id }), copyId),
    );
  }

  /** @param {string} comment '' for none */
  showComment(comment) {
    if (comment === '') return;
    this.#comment.append(
      element('figcaption', { i18n: 'replay.comment' }),
      element('blockquote', { text: comment }),
    );
    this.#comment.hidden = false;
  }

  /** Adds a button where the visitor may delete the recording. */
  async offerRemoval(mayRemove) {
    if (!(await mayRemove())) return;
    const options = { type: 'button', class: 'button danger', onclick: this.#parts.onDelete };
    this.#actions.append(
      element('button', options, icon('trash'), element('span', { i18n: 'replay.delete' })),
    );
  }

  #showConfig(config) {
    const entries = Object.entries(config);
    if (entries.length === 0) return;
    const rows = entries.map(([name, value]) =>
      element('div', {}, element('dt', { text: name }), element('dd', { text: valueText(value) })),
    );
    this.#config.append(element('summary', { i18n: 'replay.config' }), element('dl', {}, ...rows));
    this.#config.hidden = false;
  }

  async #copy(text) {
    const { toaster } = this.#parts;
    toaster.news((await copyText(text)) ? 'action.copied' : 'action.not_copied');
  }
}

function fact(key, ...values) {
  return element('div', {}, element('dt', { i18n: key }), element('dd', {}, ...values));
}

function valueText(value) {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}

/** @param {string} stamp ISO 8601 */
function dateText(stamp) {
  const format = { dateStyle: 'medium', timeStyle: 'short' };
  return new Intl.DateTimeFormat(translator.language, format).format(new Date(stamp));
}
