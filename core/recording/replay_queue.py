"""Merged replays, made one after the other in processes of their own."""

from __future__ import annotations

import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from core.logs import event
from core.recording.folders import note_in_meta
from core.recording.left_over import lacks_replay, left_over

logger = logging.getLogger(__name__)

WAITING_REPLAYS = 64
LOW_PRIORITY = 10
PROJECT_ROOT = Path(__file__).resolve().parents[2]


class ReplayQueue:
    """What waits for its replay; a recording that cannot have one is only noted as such.

    Args:
        timeout_s: how long one replay may take.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._folders: queue.Queue[Path | None] = queue.Queue(WAITING_REPLAYS)  # None wakes only
        self._left_over: Iterator[Path] = iter(())
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def put(self, folder: Path) -> None:
        """Have the replay of a finished recording made; when too many wait, after a restart."""
        self._put(folder)

    def catch_up(self, data_dir: str | Path) -> None:
        """Have the replays made that nobody made before, whenever no other one waits."""
        self._left_over = left_over(data_dir)
        self._put(None)

    def close(self) -> None:
        """Make no more replays, and give up the one being made."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()

    def _put(self, folder: Path | None) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="replays", daemon=True)
                self._thread.start()
        try:
            self._folders.put_nowait(folder)
        except queue.Full:
            logger.warning(event("replay_postponed", session_id=folder and folder.name))

    def _next(self) -> Path:
        """What is to be made now: new ones first, and left-over ones while there is time."""
        while True:
            try:
                folder = self._folders.get_nowait()
            except queue.Empty:
                folder = next(self._left_over, None) or self._folders.get()
            if folder is not None and lacks_replay(folder):
                return folder

    def _work(self) -> None:
        while not self._is_closed:
            try:
                self._make(self._next())
            except OSError as error:  # of one recording; there will be others
                logger.error(event("replay_not_made", reason=error))

    def _make(self, folder: Path) -> None:
        with self._lock:
            if self._is_closed:
                return
            process = self._process = _start(folder)
        try:
            process.wait(self._timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            for unfinished in folder.glob(".*"):
                unfinished.unlink(missing_ok=True)
            self._note_failure(folder, f"not done after {self._timeout_s:g} s")

    def _note_failure(self, folder: Path, reason: str) -> None:
        logger.warning(event("replay_failed", session_id=folder.name, reason=reason))
        try:
            note_in_meta(folder, replay_error=reason)
        except (OSError, ValueError) as error:
            logger.warning(event("note_failed", session_id=folder.name, reason=str(error)))


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """Live sessions go first: the process runs at low priority."""
    command = ["nice", "-n", str(LOW_PRIORITY), sys.executable, "-m", "core.recording.replay"]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*command, str(folder.resolve())], cwd=PROJECT_ROOT, env=environment)
