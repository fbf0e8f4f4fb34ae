"""`/api/config/eta`: how long requests are expected to take."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from gateway_modules.models import EtaConfig, EtaStatus
from gateway_modules.openapi import refusals
from gateway_modules.state import GatewayDep, require_admin, require_same_origin

router = APIRouter(prefix="/api/config/eta", tags=["queue"])


@router.get("")
async def estimates(gateway: GatewayDep) -> EtaStatus:
    """The expected seconds of each type, and the averages that replace them once there are enough
    samples.
    """
    return gateway.pool.eta_tracker.get_status()


@router.put(
    "",
    responses=refusals(401, 403),
    dependencies=[Depends(require_same_origin), Depends(require_admin)],
)
async def expect(body: EtaConfig, gateway: GatewayDep) -> EtaStatus:
    """Change the expectations that are named, until the gateway restarts."""
    gateway.pool.eta_tracker.update_config(body)
    return gateway.pool.eta_tracker.get_status()
