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
    """REST calls that a client has left, which grow again with time."""

    calls: float
    at_s: float  # on the loop's clock


class ClientLimits:
    """Counts for each client what it holds and what it asked lately.

    A client is named as `AccessPolicy.client_of` does; the one named None has no limits. Nothing is
    remembered of clients that hold nothing, but for the calls of those who called last.
    """

    def __init__(self, limits: LimitsConfig) -> None:
        self._most_sockets = limits.sockets_per_client
        self._most_sessions = limits.sessions_per_client
        self._calls_a_minute = limits.rest_calls_per_minute
        self._sockets: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()

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
        if client is None:
            return
        most = self._calls_a_minute
        calls_per_s = most / 60
        now_s = asyncio.get_running_loop().time()
        allowance = self._allowances.setdefault(client, Allowance(most, now_s))
        self._allowances.move_to_end(client)
        if len(self._allowances) > REMEMBERED_CLIENTS:
            self._allowances.popitem(last=False)
        allowance.calls = min(most, allowance.calls + (now_s - allowance.at_s) * calls_per_s)
        allowance.at_s = now_s
        if allowance.calls < 1:
            raise errors.RateLimitedError(
                f"Only {most} calls a minute are allowed",
                limit=most,
                retry_after_s=(1 - allowance.calls) / calls_per_s,
            )
        allowance.calls -= 1


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
