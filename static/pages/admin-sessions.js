/** What workers are doing, and ending it. */

import { runningSessions } from '../lib/running-sessions.js';
import { endSession } from '../net/admin-api.js';
import { actionColumn, textColumn, timeColumn, typeColumn } from '../ui/columns.js';
import { DataTable } from '../ui/data-table.js';

export class AdminSessions {
  #changes;
  #table;
  #tasks = [];
  #sessions = null;

  constructor({ poller, changes }) {
    this.#changes = changes;
    const elapsed = timeColumn('admin.column.elapsed', 'elapsed_s');
    const kept = { i18n: 'admin.sessions_kept' };
    this.#table = new DataTable(document.getElementById('sessions-table'), {
      captionKey: 'admin.sessions',
      emptyKey: 'admin.sessions_empty',
      keyOf: (row) => row.key,
      columns: [
        typeColumn('request_type'),
        textColumn('admin.column.session', 'session_id'),
        textColumn('admin.column.worker', 'worker_id', { minor: true }),
        { ...elapsed, cell: (row) => (row.kept ? kept : elapsed.cell(row)) },
        timeColumn('admin.column.remaining', 'remaining_s', { minor: true }),
        actionColumn(
          (row) => row.session_id,
          (row) => this.#ending(row),
        ),
      ],
    });
    poller.on('queue', ({ running_tasks: tasks }) => {
      this.#tasks = tasks;
      this.#show();
    });
    poller.on('live', (sessions) => {
      this.#sessions = sessions;
      this.#show();
    });
  }

  /** The names of sessions may not be read any more. */
  forget() {
    this.#sessions = null;
    this.#show();
  }

  #show() {
    this.#table.show(runningSessions(this.#sessions, this.#tasks));
  }

  /** A request without a session has nothing by which it could be ended. */
  #ending({ session_id: session, worker_id: worker, kept }) {
    if (session === '') return null;
    const end = () => endSession(session);
    if (kept) {
      const params = { worker };
      const onclick = () => this.#changes.ask('forget', end, params);
      return { key: 'admin.forget', nameKey: 'admin.forget_name', params, onclick };
    }
    const params = { session };
    const onclick = () => this.#changes.ask('stop', end, params);
    return { key: 'admin.stop', nameKey: 'admin.stop_name', params, onclick };
  }
}
