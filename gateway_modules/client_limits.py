"""How much of the service one client may take: sockets, sessions, and REST calls a minute."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from config import LimitsConfig
from core import errors

REMEMBERED_CLIENTS = 10_000
RETRY_AFTER_S = 5.0


@dataclass
class Allowance:
    """What a client has left, which grows again with time."""

    left: float
    at_s: float  # on the loop's clock


class Rate:
    """How often a minute each client may do something; a minute's worth may come at once."""

    def __init__(self, per_minute: int, what: str) -> None:
        self._per_minute = per_minute
        self._what = what
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()

    def check(self, client: str) -> None:
        """Whether the client may do it now.

        Raises:
            RateLimitedError: it may not; says when it may again.
        """
        left = self._allowance(client).left
        if left < 1:
            raise errors.RateLimitedError(
                f"Only {self._per_minute} {self._what} a minute are allowed",
                limit=self._per_minute,
                retry_after_s=(1 - left) * 60 / self._per_minute,
            )

    def count(self, client: str) -> None:
        """The client did it once."""
        self._allowance(client).left -= 1

    def _allowance(self, client: str) -> Allowance:
        now_s = asyncio.get_running_loop().time()
        allowance = self._allowances.setdefault(client, Allowance(self._per_minute, now_s))
        self._allowances.move_to_end(client)
        if len(self._allowances) > REMEMBERED_CLIENTS:
            self._allowances.popitem(last=False)
        earned = (now_s - allowance.at_s) * self._per_minute / 60
        allowance.left = min(self._per_minute, allowance.left + earned)
        allowance.at_s = now_s
        return allowance


class ClientLimits:
    """Counts for each client what it holds and what it asked lately.

    A client is named as `AccessPolicy.client_of` does; the one named None has no limits. Nothing is
    remembered of clients that hold nothing, but for the calls of those who called last.
    """

    def __init__(self, limits: LimitsConfig) -> None:
        self._most_sockets = limits.sockets_per_client
        self._most_sessions = limits.sessions_per_client
        self._sockets: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()
        self._calls = Rate(limits.rest_calls_per_minute, "calls")

    @contextmanager
    def socket(self, client: str | None) -> Iterator[None]:
        """Have a socket open for the length of the block.

        Raises:
            RateLimitedError: the client has as many as it may have.
        """
        with _held(self._sockets, client, self._most_sockets, "open sockets"):
            yield

    @contextmanager
    def session(self, client: str | None) -> Iterator[None]:
        """Wait for a worker, and have it, for the length of the block.

        Raises:
            RateLimitedError: the client has as many sessions as it may have.
        """
        with _held(self._sessions, client, self._most_sessions, "live sessions"):
            yield

    def count_call(self, client: str | None) -> None:
        """Take one REST call from what the client has left.

        Raises:
            RateLimitedError: it has none left; says when there is one again.
        """
        if client is not None:
            self._calls.check(client)
            self._calls.count(client)


@contextmanager
def _held(held: Counter[str], client: str | None, most: int, what: str) -> Iterator[None]:
    if client is None:
        yield
        return
    if held[client] >= most:
        raise errors.RateLimitedError(
            f"Only {most} {what} are allowed", limit=most, retry_after_s=RETRY_AFTER_S
        )
    held[client] += 1
    try:
        yield
    finally:
        held[client] -= 1
        if not held[client]:
            del held[client]
