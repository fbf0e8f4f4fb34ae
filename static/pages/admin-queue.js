/** Requests that wait, and taking them out of the queue. */

import { stampTime } from '../lib/number-text.js';
import { cancelTicket } from '../net/admin-api.js';
import { actionColumn, stampColumn, textColumn, timeColumn, typeColumn } from '../ui/columns.js';
import { DataTable } from '../ui/data-table.js';

export class AdminQueue {
  #changes;

  constructor({ poller, changes }) {
    this.#changes = changes;
    const table = new DataTable(document.getElementById('queue-table'), {
      captionKey: 'admin.queue',
      emptyKey: 'admin.queue_empty',
      keyOf: (ticket) => ticket.ticket_id,
      columns: [
        { titleKey: 'admin.column.position', value: (ticket) => ticket.position },
        typeColumn('request_type'),
        textColumn('admin.column.session', 'session_id', { minor: true }),
        timeColumn('admin.column.estimate', 'estimated_wait_s', { minor: true }),
        timeColumn('admin.column.waited', 'wait_elapsed_s'),
        stampColumn('admin.column.since', 'enqueued_at', stampTime),
        actionColumn(
          (ticket) => ticket.position,
          (ticket) => this.#cancelling(ticket),
        ),
      ],
    });
    poller.on('queue', ({ items }) => table.show(items));
  }

  #cancelling({ ticket_id: id, position }) {
    return {
      key: 'admin.cancel_ticket',
      nameKey: 'admin.cancel_ticket_name',
      params: { position },
      onclick: () => this.#changes.ask('cancel', () => cancelTicket(id), { position }),
    };
  }
}
