"""Files for their owner alone, and secrets that an installation makes for itself."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

OWNER_ONLY = 0o600


def create_private(path: Path, content: bytes) -> None:
    """Make a file that only its owner may read, from its first byte on.

    Raises:
        FileExistsError: there is one already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def read_or_make(path: Path) -> str:
    """The secret kept in `path`, made on first use; the file is for its owner alone."""
    if not path.exists():
        create_private(path, f"{secrets.token_urlsafe(32)}\n".encode())
    path.chmod(OWNER_ONLY)
    return path.read_text().strip()
