"""What a waiting socket is told about its place in the queue."""

from __future__ import annotations

import asyncio

from core.schemas import QueuedMessage, QueueDoneMessage, QueueUpdateMessage
from gateway_modules.client_socket import ClientSocket
from gateway_modules.lease import Lease
from gateway_modules.worker_pool import WorkerPool


async def wait_in_queue(
    socket: ClientSocket,
    lease: Lease,
    pool: WorkerPool,
    update_period_s: float,
    *,
    always_says_done: bool = False,
) -> None:
    """Wait until the lease holds a worker.

    When it already does, `queue_done` is sent with `always_says_done`, and else nothing.

    Sends `queued`, then `queue_update` whenever the position changes or workers come or go and at
    least every `update_period_s`, then `queue_done`.

    Raises:
        CancelledError: (of core.errors) somebody took the ticket out of the queue.
    """
    if not lease.is_waiting:
        await lease.worker()
        if always_says_done:
            await socket.send(QueueDoneMessage())
        return
    loop = asyncio.get_running_loop()
    ticket = lease.ticket
    told = (ticket.position, pool.n_capacity_changes)
    await socket.send(
        QueuedMessage(
            position=ticket.position,
            estimated_wait_s=ticket.estimated_wait_s,
            queue_length=pool.queue_length,
            ticket_id=ticket.ticket_id,
        )
    )
    update_due_at = loop.time() + update_period_s
    while lease.is_waiting:
        now = (ticket.position, pool.n_capacity_changes)
        if now == told and loop.time() < update_due_at:
            await lease.wait_for_news(update_due_at - loop.time())
            continue
        told, update_due_at = now, loop.time() + update_period_s
        await socket.send(
            QueueUpdateMessage(
                position=ticket.position,
                estimated_wait_s=ticket.estimated_wait_s,
                queue_length=pool.queue_length,
            )
        )
    await lease.worker()
    await socket.send(QueueDoneMessage())
