"""The workers behind this gateway."""

from __future__ import annotations

from fastapi import APIRouter

from gateway_modules.models import WorkersResponse
from gateway_modules.state import GatewayDep

router = APIRouter(tags=["status"])


@router.get("/workers")
async def workers(gateway: GatewayDep) -> WorkersResponse:
    """Every worker with its state; with several slots the task shown is the oldest one."""
    listed = gateway.pool.get_all_workers()
    return WorkersResponse(total=len(listed), workers=listed)
