"""Sessions that go on, and conversations that workers keep between two turns."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Depends

from gateway_modules.models import SuccessResponse
from gateway_modules.openapi import refusals
from gateway_modules.session_ids import clean_session_id
from gateway_modules.session_models import LiveSession, LiveSessions
from gateway_modules.state import Gateway, GatewayDep, require_admin, require_same_origin
from gateway_modules.worker_choice import STREAMING

router = APIRouter(
    prefix="/sessions",
    tags=["sessions"],
    responses=refusals(401),
    dependencies=[Depends(require_admin)],
)

SHOWN_HASH_CHARACTERS = 16


@router.get("")
async def live_sessions(gateway: GatewayDep) -> LiveSessions:
    """What occupies workers; a kept conversation goes by the name of its worker."""
    listed = [*busy_slots(gateway), *kept_conversations(gateway)]
    return LiveSessions(total=len(listed), sessions=listed)


@router.delete(
    "/{session_id}", responses=refusals(403), dependencies=[Depends(require_same_origin)]
)
async def end_session(session_id: str, gateway: GatewayDep) -> SuccessResponse:
    """End a session with close code 1001, or have its worker's kept conversation forgotten."""
    ended = gateway.session_ids.end(clean_session_id(session_id))
    worker = gateway.pool.get_worker(session_id)
    forgotten = worker is not None and worker.cached_hash is not None
    if worker is not None and forgotten:
        worker.forget_cache()
    return SuccessResponse(success=ended or forgotten)


def busy_slots(gateway: Gateway) -> Iterator[LiveSession]:
    for worker in gateway.pool.workers.values():
        for slot in worker.busy_slots:
            yield LiveSession(
                session_id=slot.session_id or "",
                worker_id=worker.worker_id,
                last_active=slot.started_at,
                request_type=slot.request_type or "",
                active=True,
            )


def kept_conversations(gateway: Gateway) -> Iterator[LiveSession]:
    for worker in gateway.pool.workers.values():
        if worker.cached_hash is not None:
            yield LiveSession(
                session_id=worker.worker_id,
                worker_id=worker.worker_id,
                messages_hash=worker.cached_hash[:SHOWN_HASH_CHARACTERS],
                last_active=worker.last_cache_used_at,
                request_type=STREAMING,
                active=False,
            )
