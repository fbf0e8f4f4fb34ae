"""The workers behind this gateway, and how they come and go."""

from __future__ import annotations

import httpx
from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from core import errors
from core.schemas import WorkerRegistered, WorkerRegistration
from gateway_modules.models import (
    CacheResponse,
    CacheState,
    SuccessResponse,
    WorkerInfo,
    WorkersResponse,
)
from gateway_modules.openapi import refusals
from gateway_modules.state import (
    Gateway,
    GatewayDep,
    require_same_origin,
    require_worker,
    require_worker_or_admin,
)
from gateway_modules.worker_connection import WorkerConnection

router = APIRouter(tags=["status"])

SHOWN_HASH_CHARACTERS = 12


@router.get("/workers")
async def workers(request: Request, gateway: GatewayDep) -> WorkersResponse:
    """Every worker with its state; with several slots the task shown is the oldest one.

    Whose session it is, administrators see: an id is all one needs to read a recording.
    """
    listed = gateway.pool.get_all_workers()
    if not gateway.access.is_admin(request):
        for worker in listed:
            worker.current_session_id = None
    return WorkersResponse(total=len(listed), workers=listed)


@router.get("/cache")
@router.get("/api/cache", include_in_schema=False)
async def cache(gateway: GatewayDep) -> CacheResponse:
    """Which conversation each worker has cached, by the beginning of its hash."""
    return CacheResponse(
        workers=[
            CacheState(
                worker_id=worker.worker_id,
                status=worker.status,
                cached_hash=shortened(worker.cached_hash),
                last_cache_used_at=worker.last_cache_used_at,
            )
            for worker in gateway.pool.get_all_workers()
        ]
    )


@router.post(
    "/api/workers/register",
    responses=refusals(401, 403),
    dependencies=[Depends(require_same_origin), Depends(require_worker)],
)
async def register(
    body: WorkerRegistration, request: Request, gateway: GatewayDep
) -> WorkerRegistered:
    """A worker offers itself. It gets requests once it has answered a health check."""
    host = body.host or gateway.access.address_of(request)
    if ":" in host:
        host = f"[{host}]"
    try:
        httpx.URL(f"http://{host}:{body.port}")
    except httpx.InvalidURL as error:
        raise errors.InvalidFieldError(f"host: {error}", field="host") from error
    return registered(gateway.membership.register(host, body.port), gateway)


@router.put(
    "/api/workers/{worker_id}/heartbeat",
    responses=refusals(401, 403, 404),
    dependencies=[Depends(require_same_origin), Depends(require_worker)],
)
async def heartbeat(worker_id: str, gateway: GatewayDep) -> WorkerRegistered:
    """A worker that registered is still there; 404 means that it has to register again."""
    return registered(known(gateway.membership.heartbeat(worker_id), worker_id), gateway)


@router.post(
    "/api/workers/{worker_id}/drain",
    responses=refusals(401, 403, 404),
    dependencies=[Depends(require_same_origin), Depends(require_worker_or_admin)],
)
async def drain(worker_id: str, gateway: GatewayDep) -> WorkerInfo:
    """Give a worker nothing new; what it does goes on to its end.

    It may be stopped once its `slots_busy` is 0, and gets work again when it was restarted or its
    drain is ended.
    """
    return known(gateway.membership.drain(worker_id), worker_id).to_info()


@router.delete(
    "/api/workers/{worker_id}/drain",
    responses=refusals(401, 403, 404),
    dependencies=[Depends(require_same_origin), Depends(require_worker_or_admin)],
)
async def end_drain(worker_id: str, gateway: GatewayDep) -> WorkerInfo:
    """Give a worker work again; nothing changes for one that is not being drained."""
    return known(gateway.membership.end_drain(worker_id), worker_id).to_info()


@router.delete(
    "/api/workers/{worker_id}",
    responses=refusals(401, 403),
    dependencies=[Depends(require_same_origin), Depends(require_worker_or_admin)],
)
async def remove(worker_id: str, gateway: GatewayDep) -> SuccessResponse:
    """Forget a worker; sessions that it serves go on as long as it does."""
    return SuccessResponse(success=gateway.membership.remove(worker_id))


def registered(worker: WorkerConnection, gateway: Gateway) -> WorkerRegistered:
    return WorkerRegistered(worker_id=worker.worker_id, heartbeat_s=gateway.membership.heartbeat_s)


def known(worker: WorkerConnection | None, worker_id: str) -> WorkerConnection:
    """The worker; 404 when there is none."""
    if worker is None:
        raise HTTPException(404, f"Worker not found: {worker_id}")
    return worker


def shortened(cached_hash: str | None) -> str | None:
    """Enough of a hash to tell conversations apart."""
    return cached_hash and f"{cached_hash[:SHOWN_HASH_CHARACTERS]}..."
