"""How long a call may last, and how long it may be silent or held."""

from __future__ import annotations

import asyncio
from types import TracebackType

from typing_extensions import Self

from core.errors import SessionTimeoutError


class CallLimits:
    """Timers of one call; the first to run out sets its exception on `expired`."""

    def __init__(self, max_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.expired: asyncio.Future[None] = self._loop.create_future()
        error = SessionTimeoutError(f"the call reached its limit of {max_s:g} s", limit=max_s)
        self._whole = self._loop.call_later(max_s, self._expire, error)
        self._next: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._whole.cancel()
        if self._next is not None:
            self._next.cancel()
        if not self.expired.cancel():
            self.expired.exception()  # it has been seen

    def expect(self, within_s: float, otherwise: Exception) -> None:
        """Something has to happen within `within_s`; replaces what was expected before."""
        if self._next is not None:
            self._next.cancel()
        self._next = self._loop.call_later(within_s, self._expire, otherwise)

    def _expire(self, error: Exception) -> None:
        if not self.expired.done():
            self.expired.set_exception(error)
