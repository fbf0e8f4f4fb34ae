"""Frames passed between a client and a worker as they came, without looking inside."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from core import errors
from gateway_modules.client_socket import ClientSocket, cancel_and_wait

PREFILL_DONE = "prefill_done"
PREFILL_DONE_MAX_CHARACTERS = 1000
WORKER_GONE_CODES = frozenset({1001, 1005, 1006, 1012})


class Relay:
    """One client's exchange with a worker, which may move to a second worker if it is early.

    Until the answer has begun the client's frames are kept, so that another worker can be given
    the same request; what the client already heard (`prefill_done`) is then not told again.
    """

    def __init__(self, socket: ClientSocket, request: str) -> None:
        self._socket = socket
        self._sent = [request]
        self._prefill_told = False
        self.answer_begun = False

    async def run(self, worker: ClientConnection) -> int:
        """Relay both ways until the worker closes; returns its close code.

        Raises:
            WorkerLostError: the worker vanished instead of closing.
        """
        self._socket.let_client_wait()
        forwarding = asyncio.ensure_future(self._client_to_worker(worker))
        try:
            return await self._worker_to_client(worker)
        finally:
            await cancel_and_wait([forwarding])

    async def _client_to_worker(self, worker: ClientConnection) -> None:
        try:
            for frame in tuple(self._sent):
                await worker.send(frame)
            while True:
                frame = await self._socket.receive()
                if not self.answer_begun:
                    self._sent.append(frame)
                await worker.send(frame)
        except ConnectionClosed:
            return  # The reading side finds out why and tells.

    async def _worker_to_client(self, worker: ClientConnection) -> int:
        while True:
            try:
                frame = await worker.recv(decode=True)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                if code in WORKER_GONE_CODES:
                    raise errors.WorkerLostError("The worker was lost") from closed
                return code
            if not self.answer_begun and is_prefill_done(frame):
                if not self._prefill_told:
                    self._prefill_told = True
                    await self._socket.send_text(frame)
                continue
            self.answer_begun = True
            self._sent.clear()
            await self._socket.send_text(frame)


def is_prefill_done(frame: str) -> bool:
    """Whether a worker's frame only says that the prompt was read."""
    if len(frame) > PREFILL_DONE_MAX_CHARACTERS or PREFILL_DONE not in frame:
        return False
    try:
        message = json.loads(frame)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("type") == PREFILL_DONE
