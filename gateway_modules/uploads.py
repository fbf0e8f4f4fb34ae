"""Files that pages upload, kept within their limit while they come."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from core import errors
from gateway_modules.client_socket import MEBI, ClientGoneError

FORM_BYTES = 16 * 1024  # for what stands around the file


async def read_upload(request: Request, field: str, max_mb: float) -> UploadFile:
    """The file in a form; it is spooled to the disk by the time it is returned.

    Raises:
        TooLargeError: it is too large, whatever its Content-Length said.
        InvalidFieldError: the form has no such file.
        ClientGoneError: the client left before all had come.
    """
    max_bytes = int(max_mb * MEBI) + FORM_BYTES
    too_large = errors.TooLargeError(
        f"The file is larger than {max_mb:g} MiB", field=field, limit=max_mb
    )
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise too_large
    n_bytes = 0

    async def receive() -> Message:
        nonlocal n_bytes
        message = await request.receive()
        n_bytes += len(message.get("body", b""))
        if n_bytes > max_bytes:
            raise too_large
        return message

    try:
        form = await Request(request.scope, receive).form(max_files=1, max_fields=4)
    except ClientDisconnect as gone:
        raise ClientGoneError from gone
    upload = form.get(field)
    if not isinstance(upload, UploadFile):
        raise errors.InvalidFieldError(f"the form has no file {field}", field=field)
    if (upload.size or 0) > max_mb * MEBI:
        await upload.close()
        raise too_large
    return upload


def keep_file(source: BinaryIO, path: Path) -> int:
    """Copy a file to its place as a whole, over an earlier one; its bytes."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as target:
            shutil.copyfileobj(source, target)
            n_bytes = target.tell()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return n_bytes
