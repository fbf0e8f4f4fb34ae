"""The session ids of clients, each of which names one live session at most."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from core import errors
from gateway_modules.client_socket import ClientSocket

MAX_SESSION_ID_CHARACTERS = 128


def clean_session_id(session_id: str) -> str:
    """The id with every character that is not allowed replaced, cut to its longest length."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", session_id)[:MAX_SESSION_ID_CHARACTERS]


class SessionIds:
    """Which socket has which session."""

    def __init__(self) -> None:
        self._holders: dict[str, ClientSocket] = {}

    @contextmanager
    def claim(self, session_id: str, socket: ClientSocket) -> Iterator[None]:
        """Have the id for the length of the block.

        A client that left has no session any more, even while its worker still finishes: it may
        come back on a new socket.

        Raises:
            SessionActiveError: another client that is still there has it.
        """
        holder = self._holders.get(session_id)
        if holder is not None and not holder.has_left:
            raise errors.SessionActiveError(f"The session {session_id} is in use on another socket")
        self._holders[session_id] = socket
        try:
            yield
        finally:
            if self._holders.get(session_id) is socket:
                del self._holders[session_id]

    def end(self, session_id: str) -> bool:
        """Close the socket that has the session; False when none has it."""
        holder = self._holders.get(session_id)
        if holder is None:
            return False
        holder.end()
        return True
