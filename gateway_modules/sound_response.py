"""The answer that carries a voice; a browser that has it already is told so."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from core import errors
from core.logs import event
from gateway_modules.sound_decoding import SoundError
from gateway_modules.voice_sound import load_voice, voice_etag

logger = logging.getLogger(__name__)

NOT_MODIFIED = 304


async def sound_response(
    request: Request,
    path: Path,
    max_s: float,
    missing: HTTPException,
    name: str | None = None,
) -> Response:
    """The first `max_s` seconds of the file as a VoiceSound, or 304 when the client has them.

    Args:
        missing: raised when there is no such file.
        name: what to call the voice; by default the file's own name.

    Raises:
        ServiceError: the file holds no readable sound.
    """
    try:
        etag = await asyncio.to_thread(voice_etag, path)
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=NOT_MODIFIED, headers=headers)
        sound = await asyncio.to_thread(load_voice, path, max_s)
    except FileNotFoundError:
        raise missing from None
    except (OSError, SoundError) as error:
        logger.error(event("voice_unreadable", path=path, reason=error))
        raise errors.ServiceError(f"{path.name} cannot be read as a sound") from error
    named = sound.model_copy(update={"name": name}) if name is not None else sound
    return Response(named.model_dump_json(), media_type="application/json", headers=headers)
