"""Frames of a client that nobody has taken yet, in order and within bounds."""

from __future__ import annotations

import asyncio
from collections import deque

from core import errors

Frame = str | bytes


class FrameBuffer:
    """Holds frames between the reader of a socket and whoever handles them.

    The first frame is the request itself and not counted; the socket's own frame limit bounds it.
    While `refuses_overflow`, further frames that do not fit are an error, because nobody will take
    them soon; afterwards the reader waits for room.
    """

    def __init__(self, max_frames: int, max_characters: int) -> None:
        self.refuses_overflow = True
        self._max_frames = max_frames
        self._max_characters = max_characters
        self._frames: deque[Frame] = deque()
        self._n_characters = 0
        self._saw_first = False
        self._changed = asyncio.Event()

    async def put(self, frame: Frame) -> None:
        """Add a frame, waiting for room when that helps.

        Raises:
            TooLargeError: too much was sent before anybody could take it.
        """
        if not self._saw_first:
            self._saw_first = True
        else:
            while self._is_full_for(frame):
                if self.refuses_overflow:
                    raise errors.TooLargeError(
                        f"More than {self._max_frames} frames or {self._max_characters} "
                        "characters were sent while waiting in the queue",
                        limit=self._max_frames,
                    )
                await self._wait_for_change()
        self._frames.append(frame)
        self._n_characters += len(frame)
        self._changed.set()

    async def get(self) -> Frame:
        while not self._frames:
            await self._wait_for_change()
        frame = self._frames.popleft()
        self._n_characters -= len(frame)
        self._changed.set()
        return frame

    def _is_full_for(self, frame: Frame) -> bool:
        if not self._frames:
            return len(frame) > self._max_characters and self.refuses_overflow
        return (
            len(self._frames) >= self._max_frames
            or self._n_characters + len(frame) > self._max_characters
        )

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
