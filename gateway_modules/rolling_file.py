"""Files that only grow, one JSON object a line, and are put aside once they are large."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class RollingFile:
    """Appends lines; when the file is full it becomes `<name>.1`, in place of an earlier one.

    Everything here blocks; call it on a thread. Any thread will do.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()

    def append(self, line: Mapping[str, Any]) -> None:
        """Add a line. Control characters are written as escapes.

        Raises:
            OSError: the disk refuses.
        """
        data = json.dumps(line).encode() + b"\n"
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                is_full = file.tell() and file.tell() + len(data) > self._max_bytes
                if not is_full:
                    file.write(data)
                    return
            os.replace(self._path, self._path.with_name(f"{self._path.name}.1"))
            self._path.write_bytes(data)
