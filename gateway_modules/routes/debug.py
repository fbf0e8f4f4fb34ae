"""`POST /api/_debug/record_trace`: what a page saw while it recorded, for whoever looks into it."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict

from core import errors
from core.logs import event
from gateway_modules.client_socket import parse_object
from gateway_modules.diagnostic_log import KIBIBYTE
from gateway_modules.http_request import read_body
from gateway_modules.openapi import json_body, refusals
from gateway_modules.state import GatewayDep, require_same_origin

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/_debug", tags=["operation"])


class RecordTrace(BaseModel):
    """Any object."""

    model_config = ConfigDict(extra="allow")


class Kept(BaseModel):
    ok: Literal[True] = True


@router.post(
    "/record_trace",
    openapi_extra=json_body(RecordTrace),
    responses=refusals(403, 413, 500),
    dependencies=[Depends(require_same_origin)],
)
async def record_trace(request: Request, gateway: GatewayDep) -> Kept:
    """Keep a report of a page, of at most `limits.debug_trace_kb`; 0 takes none."""
    max_bytes = int(gateway.config.limits.debug_trace_kb * KIBIBYTE)
    trace = parse_object(await read_body(request, max_bytes), "The body")
    now = datetime.now().isoformat(timespec="milliseconds")
    try:
        await asyncio.to_thread(gateway.traces.append, {"ts": now} | trace)
    except OSError as error:
        logger.warning(event("trace_lost", reason=error.strerror))
        raise errors.ServiceError("The report could not be kept") from error
    return Kept()
