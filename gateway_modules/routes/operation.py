"""For who runs the service: its metrics, and the ends of its logs."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.responses import Response

from config import PROJECT_ROOT
from gateway_modules import metrics
from gateway_modules.models import LogTail
from gateway_modules.openapi import media, refusals
from gateway_modules.process_logs import MAX_LINES, log_tail, logged_processes
from gateway_modules.state import GatewayDep, require_admin

router = APIRouter(
    tags=["operation"], responses=refusals(401), dependencies=[Depends(require_admin)]
)

RUN_FOLDER = PROJECT_ROOT / "tmp"


@router.get("/metrics", response_class=Response, responses=media("text/plain"))
async def show_metrics(gateway: GatewayDep) -> Response:
    """Counters, gauges and histograms in Prometheus' text format."""
    text = metrics.exposition(gateway.pool, len(gateway.sockets))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@router.get("/api/admin/logs", responses=refusals(404))
async def show_log(
    process: str = "gateway", lines: Annotated[int, Query(ge=1, le=MAX_LINES)] = 200
) -> LogTail:
    """The last lines of one process that start_all.sh started; `processes` names all of them."""
    processes = await asyncio.to_thread(logged_processes, RUN_FOLDER)
    if process not in processes:
        raise HTTPException(404, f"No log of this process: {process}")
    tail = await asyncio.to_thread(log_tail, RUN_FOLDER, process, lines)
    return LogTail(process=process, processes=processes, lines=tail)
