"""The ends of the log files that the supervisor writes, one a process."""

from __future__ import annotations

import os
import re
from pathlib import Path

MAX_LINES = 2000
MAX_BYTES = 1 << 20
PROCESS_NAME = re.compile(r"gateway|supervisor|worker_\d+")


def logged_processes(folder: Path) -> list[str]:
    """The processes of the service that have a log in this folder; other files are nobody's."""
    names = sorted(file.stem for file in folder.glob("*.log"))
    return [name for name in names if PROCESS_NAME.fullmatch(name)]


def log_tail(folder: Path, process: str, n_lines: int) -> list[str]:
    """The last lines of one of the `logged_processes`, as many as fit into a mebibyte."""
    with (folder / f"{process}.log").open("rb") as file:
        n_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, n_bytes - MAX_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    starts_within_a_line = n_bytes > MAX_BYTES
    return lines[starts_within_a_line:][-n_lines:]
