/** The service as a whole, and its workers one by one. */

import { stampText } from '../lib/number-text.js';
import { drainWorker, resumeWorker } from '../net/admin-api.js';
import { setText } from '../ui/set-text.js';
import { Totals } from '../ui/totals.js';
import { WorkerCards } from '../ui/worker-cards.js';

const byId = (id) => document.getElementById(id);

export class AdminWorkers {
  #totals = new Totals(byId('totals'), byId('trends'));
  #cards = new WorkerCards(byId('worker-cards'));

  constructor({ poller, changes }) {
    poller.on('status', (status) => this.#showStatus(status));
    poller.on('workers', (workers) => this.#showWorkers(workers));
    this.#cards.on('drain', ({ worker_id: worker }) =>
      changes.ask('drain', () => drainWorker(worker), { worker }),
    );
    this.#cards.on('resume', ({ worker_id: worker }) =>
      changes.make(
        () => resumeWorker(worker),
        () => ({ key: 'admin.resumed', params: { worker } }),
      ),
    );
  }

  #showStatus(status) {
    this.#totals.show(status);
    const params = { version: status.version, time: stampText(status.started_at) };
    setText(byId('since'), { i18n: 'admin.since', params });
  }

  #showWorkers(workers) {
    this.#totals.showUse(workers);
    this.#cards.show(workers);
    byId('no-workers').hidden = workers.length > 0;
  }
}
