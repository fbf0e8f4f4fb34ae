"""Files for their owner alone, and secrets that an installation makes for itself."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from pathlib import Path

from core.logs import event

logger = logging.getLogger(__name__)

OWNER_ONLY = 0o600
OTHERS = 0o077


def create_private(path: Path, content: bytes) -> None:
    """Make a file that only its owner may read, from its first byte on.

    Raises:
        FileExistsError: there is one already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError:
        path.unlink()
        raise


def read_or_make(path: Path) -> str:
    """The secret kept in `path`, made on first use; the file is for its owner alone.

    Where the disk refuses, the secret is a new one, which nobody else can know.
    """
    try:
        if not path.exists() or not path.read_text().strip():
            path.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):  # another gateway was quicker
                create_private(path, f"{secrets.token_urlsafe(32)}\n".encode())
        if path.stat().st_mode & OTHERS:
            path.chmod(OWNER_ONLY)
        return path.read_text().strip()
    except OSError as error:
        logger.warning(event("secret_not_kept", path=path, reason=error.strerror))
        return secrets.token_urlsafe(32)
