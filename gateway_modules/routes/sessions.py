"""Recorded sessions: whoever has the id of one may read it; the list is for administrators."""

from __future__ import annotations

import asyncio
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, StreamingResponse

from core import errors
from core.recording import load_meta, load_recording
from core.recording.folders import COMMENT
from gateway_modules.client_socket import parse_object
from gateway_modules.http_request import read_body
from gateway_modules.models import SuccessResponse
from gateway_modules.openapi import form_with_file, json_body, media, refusals
from gateway_modules.session_files import (
    UPLOADED_REPLAY,
    find_asset,
    find_session,
    media_type,
    uploaded_replay,
    zipped,
)
from gateway_modules.session_ids import clean_session_id
from gateway_modules.session_models import (
    Comment,
    SavedComment,
    SessionDetails,
    SessionList,
    StorageInfo,
    UploadedRecording,
)
from gateway_modules.state import GatewayDep, require_admin, require_same_origin
from gateway_modules.uploads import keep_file, read_upload

router = APIRouter(prefix="/api", tags=["sessions"])

PRIVATE = {"Cache-Control": "private"}
UPLOADED_FIELD = "file"
UPLOAD_SUFFIXES = {
    "video/webm": ".webm",
    "audio/webm": ".webm",
    "video/mp4": ".mp4",
    "audio/wav": ".wav",
}
BYTES_PER_CHARACTER = 12  # of one that JSON escapes
OTHER_FIELDS_BYTES = 1024


def recorded_session(session_id: str, gateway: GatewayDep) -> Path:
    """Dependency of the routes of one recording: its folder."""
    cleaned = clean_session_id(session_id)
    folder = find_session(gateway.config.data_path, cleaned)
    if folder is None:
        raise HTTPException(404, f"Session not found: {cleaned}")
    return folder


SessionFolder = Annotated[Path, Depends(recorded_session)]
CHANGES = [Depends(require_same_origin)]


@router.get("/sessions", responses=refusals(401), dependencies=[Depends(require_admin)])
async def sessions(
    gateway: GatewayDep,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
    app_type: Annotated[str | None, Query(alias="type")] = None,
    day: Annotated[date | None, Query(alias="date", description="In UTC.")] = None,
) -> SessionList:
    """Recorded sessions, the newest first."""
    return await asyncio.to_thread(gateway.recorded.page, page, page_size, app_type, day)


@router.get("/admin/storage", responses=refusals(401), dependencies=[Depends(require_admin)])
async def storage(gateway: GatewayDep) -> StorageInfo:
    """What the recordings take, and when they are deleted."""
    return await asyncio.to_thread(gateway.recorded.storage)


@router.get("/sessions/{session_id}", response_model=SessionDetails, responses=refusals(404))
async def session(folder: SessionFolder) -> Response:
    """What is known of a recorded session."""
    try:
        meta = await asyncio.to_thread(load_meta, folder)
        uploaded = await asyncio.to_thread(uploaded_replay, folder)
    except (OSError, ValueError):
        raise HTTPException(404, f"Session not found: {folder.name}") from None
    if uploaded is not None:
        meta["frontend_replay"] = uploaded
    return JSONResponse(meta, headers=PRIVATE)


@router.delete(
    "/sessions/{session_id}",
    responses=refusals(401, 403, 404, 409),
    dependencies=[*CHANGES, Depends(require_admin)],
)
async def delete(folder: SessionFolder, gateway: GatewayDep) -> SuccessResponse:
    """Delete a recording with all its media; 409 while its session goes on."""
    await asyncio.to_thread(gateway.recorded.delete, folder)
    return SuccessResponse(success=True)


@router.get(
    "/sessions/{session_id}/recording",
    response_model=dict[str, Any],
    responses=refusals(404),
)
async def recording(folder: SessionFolder) -> Response:
    """What was said, and which files go with it; 404 while the session goes on."""
    try:
        contents = await asyncio.to_thread(load_recording, folder)
    except (OSError, ValueError):
        raise HTTPException(404, f"Recording not found for session: {folder.name}") from None
    return JSONResponse(contents, headers=PRIVATE)


@router.get(
    "/sessions/{session_id}/assets/{path:path}",
    response_class=FileResponse,
    responses=media("*/*") | refusals(400, 404),
)
@router.head("/sessions/{session_id}/assets/{path:path}", include_in_schema=False)
async def asset(folder: SessionFolder, path: str) -> FileResponse:
    """A file of a recording, whole or in ranges."""
    try:
        file = find_asset(folder, path)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    if file is None:
        raise HTTPException(404, f"No such file: {path}")
    return FileResponse(file, media_type=media_type(file), headers=PRIVATE)


@router.get(
    "/sessions/{session_id}/download",
    response_class=StreamingResponse,
    responses=media("application/zip") | refusals(404),
)
async def download(folder: SessionFolder) -> StreamingResponse:
    """A recording with all its files as a zip archive."""
    headers = PRIVATE | {"Content-Disposition": f'attachment; filename="{folder.name}.zip"'}
    return StreamingResponse(zipped(folder), media_type="application/zip", headers=headers)


@router.post(
    "/sessions/{session_id}/upload-recording",
    openapi_extra=form_with_file(UPLOADED_FIELD),
    responses=refusals(403, 404, 413, 422),
    dependencies=CHANGES,
)
async def upload(request: Request, folder: SessionFolder, gateway: GatewayDep) -> UploadedRecording:
    """Keep what a page has recorded (`file` of a form), in place of an earlier one."""
    file = await read_upload(request, UPLOADED_FIELD, gateway.config.limits.recording_upload_mb)
    try:
        given = (file.content_type or "").partition(";")[0].strip().lower()
        if given not in UPLOAD_SUFFIXES:
            raise HTTPException(400, f"Unsupported file type: {given}")
        path = folder / f"{UPLOADED_REPLAY}{UPLOAD_SUFFIXES[given]}"
        n_bytes = await asyncio.to_thread(keep_file, file.file, path)
    finally:
        await file.close()
    return UploadedRecording(path=path.name, size_bytes=n_bytes)


@router.get("/sessions/{session_id}/comment", responses=refusals(404))
async def comment(folder: SessionFolder) -> Comment:
    """What was written about a session."""
    return Comment(comment=await asyncio.to_thread(read_comment, folder))


@router.post(
    "/sessions/{session_id}/comment",
    openapi_extra=json_body(Comment),
    responses=refusals(403, 404, 413),
    dependencies=CHANGES,
)
async def set_comment(request: Request, folder: SessionFolder, gateway: GatewayDep) -> SavedComment:
    """Write something about a session; an empty `comment` takes it away again."""
    most = gateway.config.limits.comment_chars
    body = await read_body(request, most * BYTES_PER_CHARACTER + OTHER_FIELDS_BYTES)
    given = parse_object(body, "The body").get("comment")
    if given is not None and not isinstance(given, str):
        raise errors.RequestError("comment must be a text", field="comment")
    text = (given or "").strip()
    if len(text) > most:
        message = f"comment may have {most} characters"
        raise errors.TooLargeError(message, field="comment", limit=most)
    await asyncio.to_thread(write_comment, folder, text)
    return SavedComment(len=len(text))


def read_comment(folder: Path) -> str:
    path = folder / COMMENT
    return path.read_text(encoding="utf-8") if path.exists() else ""


def write_comment(folder: Path, text: str) -> None:
    if text:
        keep_file(BytesIO(text.encode()), folder / COMMENT)
    else:
        (folder / COMMENT).unlink(missing_ok=True)
