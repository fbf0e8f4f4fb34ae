"""Reading requests: bodies and frames within their limits, as checked wire models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, TypeVar

from fastapi import Request, WebSocket
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.websockets import WebSocketDisconnect

from core.errors import BadJsonError, BinaryFrameError, TooLargeError, invalid_field

Model = TypeVar("Model", bound=BaseModel)

MEBIBYTE = 1 << 20
PARSED_AT_ONCE = 1 << 16  # characters; a `stop` must not queue behind the decoding of large media


async def read_body(request: Request, limit_mb: float) -> bytearray:
    """A JSON body, refused as soon as it is known to be over the limit.

    Raises:
        TooLargeError: it is.
        BadJsonError: it is announced as something other than JSON.
        ClientDisconnect: the client went away.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise BadJsonError("the body must be JSON, with content type application/json")
    limit = limit_mb * MEBIBYTE
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _body_too_large(limit_mb)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise _body_too_large(limit_mb)
    return body


async def receive_object(websocket: WebSocket, max_depth: int) -> dict[str, Any]:
    """The next frame as a JSON object.

    Raises:
        BinaryFrameError, BadJsonError: it is none.
        WebSocketDisconnect: the client went away.
    """
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006), message.get("reason"))
    text = message.get("text")
    if text is None:
        raise BinaryFrameError("binary frames are not supported; send JSON text")
    if len(text) <= PARSED_AT_ONCE:
        return parse_object(text, max_depth)
    return await asyncio.to_thread(parse_object, text, max_depth)


def parse_object(text: str | bytes | bytearray, max_depth: int) -> dict[str, Any]:
    """A JSON object without NaN, nested at most `max_depth` deep.

    Raises:
        BadJsonError: it is none.
    """
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise BadJsonError(f"not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadJsonError("a JSON object is expected")
    level: list[Any] = [value]
    for _ in range(max_depth):
        level = [child for parent in level for child in _containers(parent)]
        if not level:
            return value
    raise BadJsonError(f"the JSON is nested more than {max_depth} levels deep")


def validate(model: type[Model], value: dict[str, Any]) -> Model:
    """`value` as a wire model.

    Raises:
        InvalidFieldError: naming the first field that is wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid_field(error) from error


def _containers(parent: Any) -> Iterator[Any]:
    children = parent.values() if isinstance(parent, dict) else parent
    return (child for child in children if isinstance(child, dict | list))


def _body_too_large(limit_mb: float) -> TooLargeError:
    message = f"the body is over the limit of {limit_mb:g} MiB"
    return TooLargeError(message, field="body", limit=limit_mb)
