"""Is the gateway alive, can it serve, and what is going on: for people, probes and pages."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Response

from core.schemas import API_VERSION
from gateway_modules.models import HealthResponse, ReadyResponse, ServiceStatus
from gateway_modules.state import GatewayDep

router = APIRouter(tags=["status"])


@router.get("/health")
@router.get("/live")
@router.get("/livez", include_in_schema=False)
async def health() -> HealthResponse:
    """The gateway process answers."""
    return HealthResponse(timestamp=datetime.now())


@router.get("/ready", responses={503: {"model": ReadyResponse}})
@router.get("/readyz", include_in_schema=False)
async def ready(gateway: GatewayDep, response: Response) -> ReadyResponse:
    """A request sent now would be served; 503 with the reason when it would not."""
    reason = gateway.not_ready_reason
    if reason is not None:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return ReadyResponse(ready=reason is None, reason=reason)


@router.get("/status")
async def status(gateway: GatewayDep) -> ServiceStatus:
    """Workers by state, the queue, and what runs for how long."""
    pool = gateway.pool
    queue = pool.get_queue_status()
    return ServiceStatus(
        gateway_healthy=True,
        total_workers=len(pool.workers),
        idle_workers=pool.idle_count,
        busy_workers=pool.busy_count,
        duplex_workers=pool.duplex_count,
        loading_workers=pool.loading_count,
        error_workers=pool.error_count,
        offline_workers=pool.offline_count,
        queue_length=queue.queue_length,
        max_queue_size=queue.max_queue_size,
        running_tasks=queue.running_tasks,
        degraded=gateway.not_ready_reason,
        model_name=gateway.model_name,
        embedded_model=gateway.embedded_model,
        version=API_VERSION,
        git_revision=gateway.git_revision,
        started_at=gateway.started_at,
    )
