"""Secrets that an installation makes for itself and keeps in files of their own."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

OWNER_ONLY = 0o600


def read_or_make(path: Path) -> str:
    """The secret kept in `path`, made on first use; the file is for its owner alone."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    path.chmod(OWNER_ONLY)
    return path.read_text().strip()
