"""`/api/login`: pages exchange a key or the admin token for a cookie, and give it back."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from gateway_modules.login import COOKIE, SIGNED_IN_S, LoginRequest, LoginStatus
from gateway_modules.openapi import refusals
from gateway_modules.state import GatewayDep, require_same_origin

router = APIRouter(prefix="/api", tags=["login"])

CHANGES = [Depends(require_same_origin)]


@router.get("/login")
async def login_status(request: Request, gateway: GatewayDep) -> LoginStatus:
    """Who the service takes the caller for."""
    access = gateway.access
    return LoginStatus(
        required=access.needs_key,
        signed_in=access.is_signed_in(request),
        admin=access.is_admin(request),
    )


@router.post("/login", status_code=204, responses=refusals(401, 403), dependencies=CHANGES)
async def login(
    body: LoginRequest, request: Request, response: Response, gateway: GatewayDep
) -> None:
    """Sign in with an API key or the admin token; the cookie holds for twelve hours."""
    cookie = gateway.access.sign_in(request, body.token)
    response.set_cookie(
        COOKIE, cookie, max_age=SIGNED_IN_S, secure=True, httponly=True, samesite="strict"
    )


@router.post("/logout", status_code=204, responses=refusals(403), dependencies=CHANGES)
async def logout(response: Response) -> None:
    """Have the browser forget the cookie."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
