"""The applications: which there are, and switching them on and off."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException

from gateway_modules.app_registry import (
    AppsAdminResponse,
    AppsPublicResponse,
    AppToggleRequest,
    AppToggleResponse,
    NamedAppToggleRequest,
)
from gateway_modules.openapi import refusals
from gateway_modules.state import Gateway, GatewayDep, require_admin, require_same_origin

router = APIRouter(prefix="/api", tags=["apps"])
CHANGES = [Depends(require_same_origin), Depends(require_admin)]
REFUSALS = refusals(401, 403, 404)


@router.get("/apps")
async def apps(gateway: GatewayDep) -> AppsPublicResponse:
    """The applications that are switched on, in menu order."""
    return AppsPublicResponse(apps=gateway.apps.get_enabled_apps())


@router.get("/admin/apps", responses=refusals(401), dependencies=[Depends(require_admin)])
async def all_apps(gateway: GatewayDep) -> AppsAdminResponse:
    """All applications and whether they are switched on."""
    return AppsAdminResponse(apps=gateway.apps.get_all_apps())


@router.put("/admin/apps/{app_id}", responses=REFUSALS, dependencies=CHANGES)
async def switch_app(app_id: str, body: AppToggleRequest, gateway: GatewayDep) -> AppToggleResponse:
    """Switch an application; sessions that run go on."""
    return await switch(gateway, app_id, body.enabled)


@router.put("/admin/apps", responses=REFUSALS, dependencies=CHANGES)
async def switch_named_app(body: NamedAppToggleRequest, gateway: GatewayDep) -> AppToggleResponse:
    """The same, with the application named in the body."""
    return await switch(gateway, body.app_id, body.enabled)


async def switch(gateway: Gateway, app_id: str, enabled: bool) -> AppToggleResponse:
    app = await asyncio.to_thread(gateway.apps.set_enabled, app_id, enabled)
    if app is None:
        raise HTTPException(404, f"Unknown app: {app_id}")
    return AppToggleResponse(app=app)
