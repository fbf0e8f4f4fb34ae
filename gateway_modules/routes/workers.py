"""The workers behind this gateway."""

from __future__ import annotations

from fastapi import APIRouter

from gateway_modules.models import CacheResponse, CacheState, WorkersResponse
from gateway_modules.state import GatewayDep

router = APIRouter(tags=["status"])

SHOWN_HASH_CHARACTERS = 12


@router.get("/workers")
async def workers(gateway: GatewayDep) -> WorkersResponse:
    """Every worker with its state; with several slots the task shown is the oldest one."""
    listed = gateway.pool.get_all_workers()
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


def shortened(cached_hash: str | None) -> str | None:
    """Enough of a hash to tell conversations apart."""
    return cached_hash and f"{cached_hash[:SHOWN_HASH_CHARACTERS]}..."
