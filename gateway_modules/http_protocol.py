"""HTTP connections that nobody can hold without asking for anything."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_S = 10.0
HEADERS_BYTES = 64 * 1024
LINGER_S = 10.0
TAKES_NOTHING_S = 30.0


def is_idle(connection: Any) -> bool:
    """Whether no request of this HTTP connection is being answered."""
    if not hasattr(connection, "cycle") or connection.transport is None:
        return False
    return connection.cycle is None or connection.cycle.response_complete


class GuardedHttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with limits.

    A connection is dropped when the headers of a request are not complete `HEADERS_S` seconds
    after it opened or after they began, and when its client still sends a body `LINGER_S` seconds
    after the answer. Headers of more than `HEADERS_BYTES` are refused. Whoever takes nothing of
    what it is sent for `TAKES_NOTHING_S` seconds is dropped as well, as a socket too.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._patience: asyncio.TimerHandle | None = None
        self._awaits_headers = True
        self._is_message_complete = True
        self._n_header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_client(HEADERS_S)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # elsewhere than on Linux, the system decides
            milliseconds = round(TAKES_NOTHING_S * 1000)
            connected: socket.socket = transport.get_extra_info("socket")
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._awaits_headers:
            self._n_header_bytes += len(data)
        super().data_received(data)
        if self._awaits_headers and self._n_header_bytes > HEADERS_BYTES:
            self.send_400_response("The headers are too large.")
        elif self._is_idle and self._patience is None:  # empty lines end uvicorn's own patience
            self._wait_for_client(HEADERS_S)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._awaits_headers, self._is_message_complete = True, False
        self._wait_for_client(HEADERS_S)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._awaits_headers, self._n_header_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_message_complete = True
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_message_complete:
            self._wait_for_client(LINGER_S)

    @property
    def _is_idle(self) -> bool:
        """Whether all was answered that was asked; a socket, as which it may go on, never is."""
        is_http = self in self.connections
        return is_http and self._is_message_complete and is_idle(self)

    def _wait_for_client(self, patience_s: float) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(patience_s, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
