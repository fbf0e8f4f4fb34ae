"""Chunks of a call that wait for the model, oldest first, and only those still worth answering."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field, replace

from core.errors import ServiceError
from core.processors import CallTask, ChunkTask
from worker_modules.recorded_call import RecordedChunk

LIMIT_S = 5.0
LIMIT_ITEMS = 256


@dataclass
class WaitingChunk:
    """One `audio_chunk`: what it holds, or why it is refused. Without either it came too late."""

    task: ChunkTask | None
    error: ServiceError | None = None
    arrived_s: float = field(default_factory=time.monotonic)
    recorded: RecordedChunk | None = None


class Backlog:
    """What was read and is not answered yet, in the order it came.

    Above five seconds of sound the oldest chunks lose theirs: they are too late for a live call,
    and are answered only so that each has its answer.
    """

    def __init__(self) -> None:
        self._items: deque[WaitingChunk | CallTask] = deque()
        self._changed = asyncio.Condition()

    async def put(self, item: WaitingChunk | CallTask) -> None:
        """Add at the end; a client that floods waits here, so that it is not read any further."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._items) < LIMIT_ITEMS)
            self._items.append(item)
            self._drop_late()
            self._changed.notify_all()

    async def next(self) -> WaitingChunk | CallTask:
        """Take the oldest one, as soon as there is one."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._items))
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def force_listen(self) -> None:
        """The model shall listen to all that waits."""
        for chunk in self._chunks():
            assert chunk.task is not None
            chunk.task = replace(chunk.task, force_listen=True)

    def _chunks(self) -> list[WaitingChunk]:
        """Those in time, the oldest first."""
        return [
            item for item in self._items if isinstance(item, WaitingChunk) and item.task is not None
        ]

    def _drop_late(self) -> None:
        chunks = self._chunks()
        waiting_s = sum(chunk.task.duration_s for chunk in chunks if chunk.task)
        for chunk in chunks[:-1]:
            if waiting_s <= LIMIT_S:
                return
            assert chunk.task is not None
            waiting_s -= chunk.task.duration_s
            chunk.task = None
