"""The queue: who waits, who runs, and taking somebody out of it."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from gateway_modules.models import QueueStatus, SuccessResponse, TicketLookup
from gateway_modules.state import GatewayDep, require_admin, require_same_origin

router = APIRouter(prefix="/api/queue", tags=["queue"])


@router.get("")
async def queue(gateway: GatewayDep) -> QueueStatus:
    """Everything that waits, in order, and everything that runs."""
    return gateway.pool.get_queue_status()


@router.get("/{ticket_id}")
async def ticket(ticket_id: str, gateway: GatewayDep) -> TicketLookup:
    """One waiting request; `found` is false when it no longer waits."""
    found = gateway.pool.get_ticket(ticket_id)
    if found is None:
        return TicketLookup(found=False, message=f"Ticket not found: {ticket_id}")
    return TicketLookup(found=True, ticket=found)


@router.delete("/{ticket_id}", dependencies=[Depends(require_same_origin), Depends(require_admin)])
async def cancel(ticket_id: str, gateway: GatewayDep) -> SuccessResponse:
    """Take a waiting request out of the queue; its client is told that it was cancelled."""
    return SuccessResponse(success=gateway.pool.cancel(ticket_id))
