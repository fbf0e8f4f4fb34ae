"""What pages need to know before they start."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gateway_modules.apps import AppsPublicResponse
from gateway_modules.state import GatewayDep

router = APIRouter(prefix="/api", tags=["pages"])


@router.get("/frontend_defaults")
async def frontend_defaults(gateway: GatewayDep) -> dict[str, Any]:
    """Settings that pages start with."""
    return gateway.frontend_defaults


@router.get("/apps")
async def apps(gateway: GatewayDep) -> AppsPublicResponse:
    """The applications that are switched on, in menu order."""
    return AppsPublicResponse(apps=gateway.apps.get_enabled_apps())
