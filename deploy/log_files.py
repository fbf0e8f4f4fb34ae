"""Logs that do not fill the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LARGEST_BYTES = 50 << 20


def put_aside_if_large(log_file: Path, largest_bytes: int = LARGEST_BYTES) -> None:
    """Move what a large log holds to `<name>.log.1`, in place of what was there.

    The file itself stays, since its process goes on appending to it; what is written in the moment
    between copying and emptying is lost.
    """
    if log_file.stat().st_size > largest_bytes:
        shutil.copyfile(log_file, log_file.with_suffix(".log.1"))
        os.truncate(log_file, 0)
