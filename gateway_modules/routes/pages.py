"""The browser pages and their assets."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from config import PROJECT_ROOT
from gateway_modules.error_responses import wants_page
from gateway_modules.session_files import find_session
from gateway_modules.session_ids import clean_session_id
from gateway_modules.state import GatewayDep

STATIC_FOLDER = PROJECT_ROOT / "static"
REVALIDATE = {"Cache-Control": "no-cache"}
SWITCHED_OFF_COOKIE = "switched_off"  # which page was meant; static/state/switched-off.js reads it
SWITCHED_OFF_S = 30

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home() -> Response:
    return page("index.html")


@router.get("/turnbased")
async def turnbased(gateway: GatewayDep) -> Response:
    return app_page("turnbased", "turnbased.html", gateway)


@router.get("/half_duplex")
async def half_duplex(gateway: GatewayDep) -> Response:
    return app_page("half_duplex_audio", "half-duplex.html", gateway)


@router.get("/omni")
async def omni(gateway: GatewayDep) -> Response:
    return app_page("omni", "omni.html", gateway)


@router.get("/audio_duplex")
async def audio_duplex(gateway: GatewayDep) -> Response:
    return app_page("audio_duplex", "audio-duplex.html", gateway)


@router.get("/admin")
async def admin() -> Response:
    return page("admin.html")


@router.get("/s/{session_id}")
def session(session_id: str, request: Request, gateway: GatewayDep) -> Response:
    """The page of a recording; where there is none, browsers get one that says so."""
    cleaned = clean_session_id(session_id)
    if find_session(gateway.config.data_path, cleaned) is not None:
        return page("session.html")
    if not wants_page(request):
        raise HTTPException(404, f"Session not found: {cleaned}")
    return page("session-missing.html", status_code=404)


@router.get("/mobile")
@router.get("/mobile/")
async def mobile() -> Response:
    return RedirectResponse("/turnbased", status_code=302)


@router.get("/mobile-omni")
@router.get("/mobile-omni/")
async def mobile_omni() -> Response:
    return RedirectResponse("/omni", status_code=302)


def app_page(app_id: str, file_name: str, gateway: GatewayDep) -> Response:
    """The page of an application; while it is switched off the way home, which says so."""
    if gateway.apps.is_enabled(app_id):
        return page(file_name)
    way_home = RedirectResponse("/", status_code=302)
    way_home.set_cookie(SWITCHED_OFF_COOKIE, app_id, max_age=SWITCHED_OFF_S, samesite="lax")
    return way_home


def page(file_name: str, status_code: int = 200) -> Response:
    file = STATIC_FOLDER / file_name
    if file.is_file():
        return FileResponse(file, status_code=status_code, headers=REVALIDATE)
    text = f"The page {file_name} is not part of this installation."
    return HTMLResponse(f"<!doctype html><title>MiniCPM-o</title><p>{escape(text)}</p>")


class RevalidatedFiles(StaticFiles):
    """Assets that a browser may keep but has to ask about, so that an update is seen at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(REVALIDATE)
        return response


def mount_static(app: FastAPI) -> None:
    app.mount("/static", RevalidatedFiles(directory=STATIC_FOLDER, check_dir=False), name="static")
