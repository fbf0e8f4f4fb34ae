"""`/api/assets/ref_audio`: the voices that were uploaded to this service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TypeVar

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from core import errors
from core.voice_folders import VoiceFolders
from gateway_modules.client_socket import MEBI, parse_object
from gateway_modules.http_request import read_body
from gateway_modules.openapi import json_body, refusals
from gateway_modules.ref_audio_models import (
    ExternalRefAudioRequest,
    RefAudioInfo,
    RefAudioListResponse,
    RefAudioResponse,
    UploadRefAudioRequest,
)
from gateway_modules.sound_response import sound_response
from gateway_modules.state import Gateway, GatewayDep, require_admin, require_same_origin
from gateway_modules.voice_sound import VoiceSound

Model = TypeVar("Model", bound=BaseModel)

BASE64_GROWTH = 4 / 3
OTHER_FIELDS_MB = 0.1

router = APIRouter(prefix="/api/assets/ref_audio", tags=["voices"])
CHANGES = [Depends(require_same_origin), Depends(require_admin)]


@router.get("")
async def voices(gateway: GatewayDep) -> RefAudioListResponse:
    """All uploaded voices, without their sound."""
    listed = await asyncio.to_thread(gateway.ref_audio.list_all)
    return RefAudioListResponse(total=len(listed), ref_audios=listed)


@router.post(
    "",
    response_model=RefAudioResponse,
    response_model_exclude_none=True,
    openapi_extra=json_body(UploadRefAudioRequest),
    responses=refusals(401, 403, 413, 422),
    dependencies=CHANGES,
)
async def upload(request: Request, gateway: GatewayDep) -> RefAudioResponse:
    """Keep a recording; what is longer than `limits.ref_audio_max_s` is cropped with a warning."""
    body = await read_voice_body(request, gateway)

    def keep() -> RefAudioInfo:
        asked = parse(body, UploadRefAudioRequest)
        return gateway.ref_audio.upload(asked.name, asked.audio_base64)

    return uploaded(await asyncio.to_thread(keep))


@router.post(
    "/external",
    response_model=RefAudioResponse,
    response_model_exclude_none=True,
    openapi_extra=json_body(ExternalRefAudioRequest),
    responses=refusals(401, 403),
    dependencies=CHANGES,
)
async def add_external(request: Request, gateway: GatewayDep) -> Response | RefAudioResponse:
    """Keep a recording that is sent, or one that lies in a folder of voices on the server.

    Every refusal is a 400 that tells its reason in `message` too.
    """
    folders = VoiceFolders.of(gateway.config)

    def keep(body: bytes) -> RefAudioInfo:
        asked = parse(body, ExternalRefAudioRequest)
        if asked.path is None:
            return gateway.ref_audio.upload(asked.name, asked.audio_data or "", field="audio_data")
        path = folders.find(asked.path, "path")
        return gateway.ref_audio.add_file(asked.name, path, field="path")

    try:
        body = await read_voice_body(request, gateway)
        return uploaded(await asyncio.to_thread(keep, body))
    except errors.RequestError as error:
        refusal = errors.http_body(error) | {"message": error.message}
        return JSONResponse(refusal, status_code=errors.RequestError.http_status)


@router.delete("/{ref_id}", responses=refusals(401, 403, 404), dependencies=CHANGES)
async def delete(ref_id: str, gateway: GatewayDep) -> RefAudioResponse:
    if not await asyncio.to_thread(gateway.ref_audio.delete, ref_id):
        raise unknown_voice(ref_id)
    return RefAudioResponse(id=ref_id, message="Deleted")


@router.get("/{ref_id}/audio", response_model=VoiceSound, responses=refusals(404, 500))
async def audio(ref_id: str, request: Request, gateway: GatewayDep) -> Response:
    """One voice with its samples, as a message may carry it."""
    info = await asyncio.to_thread(gateway.ref_audio.get, ref_id)
    if info is None:
        raise unknown_voice(ref_id)
    path: Path = gateway.ref_audio.storage_dir / info.filename
    limits = gateway.config.limits
    return await sound_response(
        request, path, limits.ref_audio_max_s, unknown_voice(ref_id), name=info.name
    )


async def read_voice_body(request: Request, gateway: Gateway) -> bytes:
    """The body, as long as its recording is not much over its limit, which is checked later."""
    limits = gateway.config.limits
    max_mb = limits.voice_upload_mb * BASE64_GROWTH + OTHER_FIELDS_MB
    return await read_body(request, int(max_mb * MEBI))


def parse(body: bytes, model: type[Model]) -> Model:
    try:
        return model.model_validate(parse_object(body, "The body"))
    except ValidationError as error:
        raise errors.invalid_field(error) from error


def uploaded(info: RefAudioInfo) -> RefAudioResponse:
    return RefAudioResponse(
        id=info.id,
        name=info.name,
        message=f"Uploaded successfully, duration={info.duration_ms}ms",
        warning=info.warning,
    )


def unknown_voice(ref_id: str) -> HTTPException:
    return HTTPException(404, f"Ref audio not found: {ref_id}")
