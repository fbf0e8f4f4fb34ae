"""The one thread of a process that writes recordings, so that no session waits for the disk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from core.logs import event

logger = logging.getLogger(__name__)

MEBIBYTE = 1 << 20
LIMIT_BYTES = 256 * MEBIBYTE
LIMIT_JOBS = 8192

Job = Callable[[], None]


class RecordingWriter:
    """Does jobs in the order in which they come, and refuses them when too many wait.

    Jobs see to their own errors; one that they do not know ends nothing but the job.

    Args:
        limit_bytes: of payload that may wait; a single job may be larger.
        limit_jobs: that may wait.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES, limit_jobs: int = LIMIT_JOBS) -> None:
        self._limit_bytes = limit_bytes
        self._limit_jobs = limit_jobs
        self._jobs: deque[tuple[Job, int]] = deque()
        self._n_bytes = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, job: Job, n_bytes: int = 0) -> bool:
        """Have a job done; False, and nothing is done, when too many wait."""
        with self._changed:
            if self._jobs and self._n_bytes + n_bytes > self._limit_bytes:
                return False
            if len(self._jobs) >= self._limit_jobs:
                return False
            self._add(job, n_bytes)
            return True

    def put_last(self, job: Job) -> None:
        """Have the last job of a recording done, however many wait."""
        with self._changed:
            self._add(job, 0)

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything put so far is done; whether it was in time."""
        done = threading.Event()
        self.put_last(done.set)
        return done.wait(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Do what waits, as far as there is time."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def _add(self, job: Job, n_bytes: int) -> None:
        self._jobs.append((job, n_bytes))
        self._n_bytes += n_bytes
        self._changed.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="recording", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._is_closing)
                if not self._jobs:
                    return
                job, n_bytes = self._jobs[0]
            try:
                job()
            except Exception:  # of one recording, which ends there; there are others
                logger.exception(event("recording_failed"))
            with self._changed:
                self._jobs.popleft()
                self._n_bytes -= n_bytes
