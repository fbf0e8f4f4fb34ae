"""Reading a request within its limit, and noticing that nobody waits for the answer any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from core import errors
from core.tasks import cancel_and_wait
from gateway_modules.client_socket import MEBI, ClientGoneError

Result = TypeVar("Result")


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The request's body, refused as soon as more than `max_bytes` of it have come.

    Raises:
        TooLargeError: the body is longer, whatever its Content-Length said.
        ClientGoneError: the client left before the body was complete.
    """
    too_large = errors.TooLargeError(
        f"The body is larger than {max_bytes / MEBI:g} MiB", field="body", limit=max_bytes
    )
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise too_large
    parts: list[bytes] = []
    n_bytes = 0
    try:
        async for part in request.stream():
            n_bytes += len(part)
            if n_bytes > max_bytes:
                raise too_large
            parts.append(part)
    except ClientDisconnect as gone:
        raise ClientGoneError from gone
    return b"".join(parts)


async def run_while_connected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is cancelled as soon as the client goes away.

    Raises:
        ClientGoneError: nobody is left to take the result.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGoneError
    finally:
        await cancel_and_wait((working, watching))


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
