"""An answer that a worker keeps, and that is cut to what the client has heard of it."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from config import ServiceConfig
from core import errors
from core.logs import event
from core.schemas import StreamingCloseMessage
from core.tasks import within
from gateway_modules.client_socket import parse_object
from gateway_modules.history_hash import QuestionHash
from gateway_modules.streaming_frames import worker_playback
from gateway_modules.upstream import worker_socket
from gateway_modules.worker_connection import WorkerConnection

logger = logging.getLogger(__name__)

REPLY_TIMEOUT_S = 5.0


class KeptAnswer:
    """The last answer of a streaming conversation, until the next turn begins.

    The worker knows the conversation by the hash of its messages, so cutting the answer gives it
    another key.

    Args:
        recording_id: where the conversation is recorded, if it is.
    """

    def __init__(
        self, worker: WorkerConnection, question: QuestionHash, recording_id: str | None = None
    ) -> None:
        self._worker = worker
        self._question = question
        self._recording_id = recording_id
        self._key: str | None = None

    async def keep(self, connection: ClientConnection, text: str) -> None:
        """Have the worker keep what this socket said, whose answer is `text`.

        Raises:
            ConnectionClosed: the worker is gone.
        """
        key = self._question.with_answer(text)
        await connection.send(StreamingCloseMessage(history_hash=key).model_dump_json())
        self._key = key
        self._worker.cached_hash = key
        self._worker.last_cache_used_at = datetime.now()

    async def cut(
        self, playback: dict[str, Any], config: ServiceConfig, request_id: str
    ) -> str | None:
        """Tell the worker how much was heard; returns its reply, or None if it keeps nothing."""
        if self._key is None or self._worker.cached_hash != self._key:
            return None
        try:
            path = "/ws/streaming"
            async with worker_socket(self._worker, path, config, request_id) as connection:
                frame = worker_playback(playback, self._key, self._recording_id)
                await connection.send(frame)
                frame = await within(REPLY_TIMEOUT_S, connection.recv(decode=True))
                reply = parse_object(frame, "The worker's message")
                is_cut = reply.get("type") == "truncated"
                if is_cut and self._worker.cached_hash == self._key:
                    await self.keep(connection, str(reply.get("text")))
                return frame if is_cut else None
        except (errors.WorkerLostError, ConnectionClosed, asyncio.TimeoutError) as error:
            logger.warning(event("answer_not_cut", reason=type(error).__name__))
            self._forget()
            return None

    def _forget(self) -> None:
        """The worker may keep another text than the client knows: it must not be found again."""
        if self._worker.cached_hash == self._key:
            self._worker.forget_cache()
