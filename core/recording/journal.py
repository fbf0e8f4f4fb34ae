"""What happens in a session, one JSON line an event, written as it happens.

A process that dies leaves everything up to its last whole line.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.recording.folders import JOURNAL

Event = dict[str, Any]
GLANCE_S = 0.2  # whoever looks whether a recording is live holds it for much less
PAUSE_S = 0.01


class Journal:
    """The open journal of a recording; while it is open, the recording counts as live.

    Raises:
        BlockingIOError: another process, or another recorder, has it open.
    """

    def __init__(self, folder: Path) -> None:
        self._file = (folder / JOURNAL).open("ab", buffering=0)
        deadline_s = time.monotonic() + GLANCE_S
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    self._file.close()
                    raise
            time.sleep(PAUSE_S)
        if self._file.tell():
            self._file.write(b"\n")  # behind a line that was cut off

    def append(self, event: Event) -> None:
        """Add an event; it survives the end of the process."""
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        self._file.close()


def read_journal(folder: Path) -> Iterator[Event]:
    """The events of a recording, oldest first; a line that was cut off or is none is left out.

    Raises:
        OSError: there is no journal.
    """
    with (folder / JOURNAL).open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and isinstance(event.get("event"), str):
                yield event
