"""The queue: who waits, who runs, and taking somebody out of it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from gateway_modules.models import QueueStatus, SuccessResponse, TicketLookup
from gateway_modules.openapi import refusals
from gateway_modules.state import GatewayDep, require_admin, require_same_origin

router = APIRouter(prefix="/api/queue", tags=["queue"])


@router.get("")
async def queue(request: Request, gateway: GatewayDep) -> QueueStatus:
    """Everything that waits, in order, and everything that runs; session ids for administrators."""
    status = gateway.pool.get_queue_status()
    if not gateway.access.is_admin(request):
        for item in status.items:
            item.session_id = None
    return status


@router.get("/{ticket_id}")
async def ticket(ticket_id: str, request: Request, gateway: GatewayDep) -> TicketLookup:
    """One waiting request; `found` is false when it no longer waits."""
    found = gateway.pool.get_ticket(ticket_id)
    if found is None:
        return TicketLookup(found=False, message=f"Ticket not found: {ticket_id}")
    if not gateway.access.is_admin(request):
        found.session_id = None
    return TicketLookup(found=True, ticket=found)


@router.delete(
    "/{ticket_id}",
    responses=refusals(401, 403),
    dependencies=[Depends(require_same_origin), Depends(require_admin)],
)
async def cancel(ticket_id: str, gateway: GatewayDep) -> SuccessResponse:
    """Take a waiting request out of the queue; its client is told that it was cancelled."""
    return SuccessResponse(success=gateway.pool.cancel(ticket_id))
