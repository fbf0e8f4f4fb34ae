"""Frames passed between a client and a worker as they came, without looking inside."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from config import ServiceConfig
from core import errors
from core.schemas import StopMessage
from core.tasks import cancel_and_wait
from gateway_modules.client_socket import ClientSocket
from gateway_modules.frame_buffer import Frame
from gateway_modules.lease import Lease
from gateway_modules.upstream import worker_socket

STOP = StopMessage().model_dump_json()
PREFILL_DONE = "prefill_done"
PREFILL_DONE_MAX_CHARACTERS = 1000
WORKER_GONE_CODES = frozenset({1001, 1005, 1006, 1012})


class Relay:
    """One client's exchange with a worker, which may move to a second worker if it is early.

    Frames may be texts or bytes; what bytes mean, the worker knows. Until the answer has begun the
    client's frames are kept, so that another worker can be given the same; what the client already
    heard (`prefill_done`) is then not told again.

    Args:
        first_frames: what the client sent and somebody has received already.
        session_id: as the client named its session, if it did.
    """

    def __init__(
        self, socket: ClientSocket, *first_frames: Frame, session_id: str | None = None
    ) -> None:
        self.session_id = session_id
        self.worker_id: str | None = None
        self._socket = socket
        self._sent: list[Frame] = list(first_frames)
        self._n_later_characters = 0
        self._prefill_told = False
        self._is_bound = False  # to the worker: another one could not take over
        self._is_running = False

    async def run(
        self, lease: Lease, worker_path: str, config: ServiceConfig, request_id: str
    ) -> int:
        """Relay both ways until the worker closes; returns its close code.

        Raises:
            WorkerLostError: the worker vanished, and it was too late for another one.
        """
        self._socket.let_client_wait()
        self._is_running = True
        while True:
            worker = await lease.worker()
            self.worker_id = worker.worker_id
            try:
                async with worker_socket(worker, worker_path, config, request_id) as connection:
                    return await self._run_on(connection)
            except errors.WorkerLostError:
                if self._is_bound:
                    lease.lose_worker()
                    raise
                lease.move_from_lost_worker()

    async def stop(self) -> bool:
        """End the answer early, as if the client had asked for it; False when there is none."""
        if self._is_running:
            await self._socket.insert(STOP)
        return self._is_running

    async def _take(self, frame: Frame) -> bool:
        """Whether the gateway keeps a frame of the client for itself."""
        return False

    def _heed(self, frame: Frame) -> None:
        """Learn from a frame of the worker."""

    async def _run_on(self, worker: ClientConnection) -> int:
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
                if await self._take(frame):
                    continue
                if not self._is_bound:
                    self._remember(frame)
                await worker.send(frame)
                del frame  # which would else stay in memory until the next one comes
        except ConnectionClosed:
            return  # The reading side finds out why and tells.

    async def _worker_to_client(self, worker: ClientConnection) -> int:
        while True:
            try:
                frame = await worker.recv()
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                if code in WORKER_GONE_CODES:
                    raise errors.WorkerLostError("The worker was lost") from closed
                return code
            if not self._is_bound:
                if is_prefill_done(frame):
                    if not self._prefill_told:
                        self._prefill_told = True
                        await self._socket.send_frame(frame)
                    continue
                self._bind()
            self._heed(frame)
            await self._socket.send_frame(frame)
            del frame

    def _remember(self, frame: Frame) -> None:
        """Keep a frame for another worker, unless that becomes too much."""
        self._sent.append(frame)
        self._n_later_characters += len(frame)
        if self._n_later_characters > self._socket.max_early_characters:
            self._bind()

    def _bind(self) -> None:
        self._is_bound = True
        self._sent.clear()


def is_prefill_done(frame: Frame) -> bool:
    """Whether a worker's frame only says that the prompt was read."""
    if isinstance(frame, bytes) or len(frame) > PREFILL_DONE_MAX_CHARACTERS:
        return False
    if PREFILL_DONE not in frame:
        return False
    try:
        message = json.loads(frame)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("type") == PREFILL_DONE
