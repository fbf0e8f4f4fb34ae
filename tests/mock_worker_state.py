"""What a mock worker is told to do, and what it is doing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

IDLE_WAIT_S = 5.0
NEVER_S = 3600.0


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
    embedded_model: bool = False
    strict: bool = False

    def take(self, name: str) -> bool:
        """Use up one of the announced faults."""
        left = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


@dataclass
class MockWorker:
    """Slots and counters of one process."""

    gpu_id: int = 0
    behaviour: Behaviour = field(default_factory=Behaviour)
    running: dict[str, str] = field(default_factory=dict)  # session id -> status
    requests: list[dict[str, Any]] = field(default_factory=list)
    kept_hashes: set[str] = field(default_factory=set)  # of streaming conversations
    boot_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    total_requests: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    stops: set[asyncio.Event] = field(default_factory=set)  # one for each open socket

    @property
    def status(self) -> str:
        if self.behaviour.worker_status:
            return self.behaviour.worker_status
        free = len(self.running) < self.behaviour.slots_total
        return "idle" if free else next(iter(self.running.values()))

    @contextlib.asynccontextmanager
    async def session(self, status: str, request: dict[str, Any]) -> AsyncIterator[str]:
        """Hold a slot, waiting a bounded time for one; raises TimeoutError."""
        self.requests.append(request)
        deadline = time.monotonic() + IDLE_WAIT_S
        while len(self.running) >= self.behaviour.slots_total:
            self.released.clear()
            await asyncio.wait_for(self.released.wait(), deadline - time.monotonic())
        session_id = uuid.uuid4().hex[:8]
        self.running[session_id] = status
        try:
            yield session_id
        finally:
            del self.running[session_id]
            self.total_requests += 1
            self.released.set()

    async def pause(self, seconds: float) -> None:
        """Work for this long, or for ever when a hang was announced."""
        await asyncio.sleep(NEVER_S if self.behaviour.take("hang_next") else seconds)

    def crash_if_due(self, chunk_index: int) -> None:
        if chunk_index == self.behaviour.crash_after_chunks:
            os._exit(9)
