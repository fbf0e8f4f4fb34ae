"""What pages report about their own side of a call, kept for whoever looks into a bad one."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

from config import PROJECT_ROOT, LimitsConfig
from core.logs import event

logger = logging.getLogger(__name__)

DIAGNOSTICS_FOLDER = PROJECT_ROOT / "tmp"
MAX_FILES = 100
KIBIBYTE = 1024


class DiagnosticLog:
    """The reports of one session, one JSON object a line, in `diag_<session id>.jsonl`.

    A report that is too long, and what no longer fits into the file, is dropped. Of all the files
    in the folder only the newest are kept.
    """

    def __init__(
        self, session_id: str, limits: LimitsConfig, folder: Path = DIAGNOSTICS_FOLDER
    ) -> None:
        self.max_report_bytes = int(limits.debug_trace_kb * KIBIBYTE)
        self._max_file_bytes = int(limits.debug_trace_file_mb * KIBIBYTE * KIBIBYTE)
        self._path = folder / f"diag_{session_id}.jsonl"

    def append(self, report: dict[str, Any]) -> None:
        """Add a report and when it came, in seconds since 1970. Writes to the disk."""
        line = json.dumps(report | {"_server_recv_ts": time.time()}, ensure_ascii=False)
        data = line.encode(errors="replace") + b"\n"
        if len(data) > self.max_report_bytes:
            return
        try:
            if not self._path.exists():
                self._make_room()
            with self._path.open("ab") as file:
                if file.tell() + len(data) <= self._max_file_bytes:
                    file.write(data)
        except OSError as error:
            logger.warning(event("diagnostic_lost", path=self._path.name, reason=error.strerror))

    def _make_room(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        old = sorted(self._path.parent.glob("diag_*.jsonl"), key=lambda file: file.stat().st_mtime)
        for file in old[: max(0, len(old) - MAX_FILES + 1)]:
            file.unlink(missing_ok=True)
