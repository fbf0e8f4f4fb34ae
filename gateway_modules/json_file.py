"""Small JSON files that the gateway keeps: read whole, and replaced in one step."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """What the file holds; None when it does not exist.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def write_json(path: Path, value: Any) -> None:
    """Replace the file, so that a reader finds the old content or the new one and nothing else."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    write_file(path, text.encode())


def write_file(path: Path, data: bytes) -> None:
    """Replace a file as `write_json` does; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
