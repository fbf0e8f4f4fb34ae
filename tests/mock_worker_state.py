"""What a mock worker is told to do, and what it is doing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.mock_worker_frames import Frames

IDLE_WAIT_S = 5.0
NEVER_S = 3600.0
RECEIVED_KEPT = 10_000


@dataclass
class Behaviour:
    """What `POST /config` can change. The `*_next` numbers count down with each request."""

    chat_delay: float = 0.5
    stream_delay: float = 0.1
    stream_chunks: int = 5
    duplex_delay: float = 0.1
    speak_pattern: str = "L"  # one letter a unit, repeated: L listens, S speaks
    fail_next: int = 0
    fail_status: int = 500
    hang_next: int = 0
    refuse_next: int = 0
    crash_after_chunks: int = -1  # end the process, without a close frame, at this chunk
    health_delay: float = 0.0
    health_status: int = 200
    worker_status: str = ""  # reported instead of the true one
    slots_total: int = 1
    model_name: str = "mock"
    embedded_model: bool = False
    strict: bool = False
    echoes_bytes: bool = False  # send binary frames back; else they close the socket

    def take(self, name: str) -> bool:
        """Use up one of the announced faults."""
        left = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


@dataclass(eq=False)
class Running:
    """A session that holds a slot."""

    session_id: str
    status: str


@dataclass
class MockWorker:
    """Slots and counters of one process."""

    gpu_id: int = 0
    behaviour: Behaviour = field(default_factory=Behaviour)
    running: list[Running] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)  # the first frame of each socket
    received: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=RECEIVED_KEPT))
    kept_hashes: set[str] = field(default_factory=set)  # of streaming conversations
    boot_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    total_requests: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: set[Frames] = field(default_factory=set)  # the open ones

    @property
    def status(self) -> str:
        if self.behaviour.worker_status:
            return self.behaviour.worker_status
        free = len(self.running) < self.behaviour.slots_total
        return "idle" if free else self.running[0].status

    @contextlib.asynccontextmanager
    async def session(
        self, status: str, request: dict[str, Any], session_id: str | None = None
    ) -> AsyncIterator[Running]:
        """Hold a slot, waiting a bounded time for one; raises TimeoutError."""
        self.requests.append(request)
        deadline = time.monotonic() + IDLE_WAIT_S
        while len(self.running) >= self.behaviour.slots_total:
            self.released.clear()
            await asyncio.wait_for(self.released.wait(), deadline - time.monotonic())
        session = Running(session_id or uuid.uuid4().hex[:8], status)
        self.running.append(session)
        try:
            yield session
        finally:
            self.running.remove(session)
            self.total_requests += 1
            self.released.set()

    def keeps(self, history_hash: str | None) -> bool:
        """Whether a streaming turn can go on from there; from nothing it always can."""
        return history_hash is None or history_hash in self.kept_hashes

    def stop(self, path: str, session_id: str | None) -> int:
        """End the answers on sockets of this path, of one session or of all; returns how many."""
        stopped = [
            frames
            for frames in self.sockets
            if frames.path == path
            and frames.is_answering
            and session_id in (None, frames.session_id)
        ]
        for frames in stopped:
            frames.stop.set()
        return len(stopped)

    async def pause(self, seconds: float) -> None:
        """Work for this long, or for ever when a hang was announced."""
        await asyncio.sleep(NEVER_S if self.behaviour.take("hang_next") else seconds)

    def crash_if_due(self, chunk_index: int) -> None:
        if chunk_index == self.behaviour.crash_after_chunks:
            os._exit(9)
