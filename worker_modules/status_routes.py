"""How the worker is: liveness, readiness, health, metrics and cache."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from core.schemas import WorkerHealthResponse
from worker_modules import metrics
from worker_modules.dependencies import Service
from worker_modules.state import not_ready

router = APIRouter()


@router.get("/health")
async def health(service: Service) -> WorkerHealthResponse:
    """Always answers, also while the model loads or works."""
    return service.worker.health()


@router.get("/live")
@router.get("/livez", include_in_schema=False)
async def live() -> dict[str, bool]:
    """The process runs."""
    return {"live": True}


@router.get("/ready")
@router.get("/readyz", include_in_schema=False)
async def ready(service: Service) -> JSONResponse:
    """200 once the model is loaded, else 503."""
    state = service.worker.state
    return JSONResponse(
        {"ready": state.model_loaded, "status": state.status.value},
        status_code=200 if state.model_loaded else 503,
    )


@router.get("/metrics")
async def show_metrics(service: Service) -> Response:
    """Counters, gauges and histograms in Prometheus' text format."""
    return Response(metrics.exposition(service.worker), media_type=CONTENT_TYPE_LATEST)


@router.get("/cache_info")
async def cache_info(service: Service) -> dict[str, Any]:
    """How full the cache of the last conversation is."""
    state = service.worker.state
    if not state.model_loaded:
        raise not_ready(state.status)
    length = service.worker.health().kv_cache_length
    kept = service.n_kept_conversations
    return {
        "status": state.status.value,
        "note": f"{kept} streaming conversations kept; {length} tokens of the one used last",
    }


@router.post("/clear_cache")
async def clear_cache(service: Service) -> dict[str, Any]:
    """Forget the conversations that wait for their next turn; running ones go on."""
    state = service.worker.state
    if not state.model_loaded:
        raise not_ready(state.status)
    service.forget_all()
    return {"success": True, "message": "Cache cleared"}
