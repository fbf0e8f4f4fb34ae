"""One turn of a streaming conversation: a worker is held from `prefill` to `done`."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from core import errors
from core.tasks import cancel_and_wait
from gateway_modules.client_socket import ClientSocket, parse_object
from gateway_modules.history_hash import QuestionHash
from gateway_modules.kept_answer import KeptAnswer
from gateway_modules.lease import Lease
from gateway_modules.queue_progress import wait_in_queue
from gateway_modules.relay import STOP
from gateway_modules.state import Gateway
from gateway_modules.streaming_frames import (
    hash_before_last,
    messages_of,
    unknown_type,
    worker_prefill,
)
from gateway_modules.upstream import worker_socket
from gateway_modules.worker_choice import STREAMING
from gateway_modules.worker_connection import WorkerConnection


@dataclass(frozen=True)
class Ending:
    """The worker's last frame of a turn: `done` or `error`."""

    frame: str
    is_done: bool
    is_stopped: bool


class StreamingTurn:
    """Relays one turn, to a second worker if the first is lost before the answer has begun.

    A worker that has the history cached is sent only what is new. What the client sent before the
    answer began is remembered: another worker is sent all of it. What the client tells about the
    sound it played is left for after the turn.

    Args:
        audio_epoch: of the sound that comes next; it has risen whenever sound was cut off.
        recording_id: the recording of the turns before, if there is one.
    """

    def __init__(
        self,
        gateway: Gateway,
        socket: ClientSocket,
        session_id: str,
        prefill: dict[str, Any],
        audio_epoch: int,
        recording_id: str | None = None,
    ) -> None:
        self.session_id = session_id
        self.audio_epoch = audio_epoch
        self.recording_id = recording_id
        self.worker_id: str | None = None
        self.client_closes = False
        self.kept_answer: KeptAnswer | None = None
        self.playback: dict[str, Any] | None = None
        self._gateway = gateway
        self._socket = socket
        self._prefill = prefill
        self._messages = list(messages_of(prefill))
        self._history_hash: str | None = None
        self._later_frames: list[str] = []
        self._worker: ClientConnection | None = None
        self._prefill_read = asyncio.Event()
        self._n_prefills_told = 0
        self._stop_asked = False
        self._is_answering = False
        self._answer_begun = False
        self._text: list[str] = []

    async def run(self, request_id: str) -> None:
        """From the queue to the end of the turn, which is told once the worker is free again.

        Raises:
            ServiceError: the turn could not be served.
        """
        pool = self._gateway.pool
        self._history_hash = await asyncio.to_thread(hash_before_last, self._messages)
        client, history_hash = self._socket.client, self._history_hash
        async with self._gateway.lease(client, STREAMING, self.session_id, history_hash) as lease:
            update_period_s = self._gateway.config.sessions.queue_update_s
            await wait_in_queue(self._socket, lease, pool, update_period_s, always_says_done=True)
            self._socket.let_client_wait()
            ending = await self._run_on_some_worker(lease, request_id)
            if ending is not None and ending.is_done and not ending.is_stopped:
                lease.complete()
        if ending is not None:
            await self._socket.send_frame(ending.frame)

    async def stop(self) -> bool:
        """End the answer early; False when no worker works on the turn."""
        if self._worker is None:
            return False
        self._stop_asked = True
        with contextlib.suppress(ConnectionClosed):
            await self._worker.send(STOP)
        return True

    async def _run_on_some_worker(self, lease: Lease, request_id: str) -> Ending | None:
        while True:
            worker = await lease.worker()
            self.worker_id = worker.worker_id
            try:
                return await self._run_on(worker, request_id)
            except errors.WorkerLostError:
                if self._answer_begun:
                    lease.lose_worker()
                    raise
                lease.move_from_lost_worker()

    async def _run_on(self, worker: WorkerConnection, request_id: str) -> Ending | None:
        """How the worker ended the turn; None when the client closed the conversation."""
        is_cached = self._history_hash is not None and worker.cached_hash == self._history_hash
        worker.forget_cache()  # until the worker has kept the whole turn
        config = self._gateway.config
        async with worker_socket(worker, "/ws/streaming", config, request_id) as connection:
            await self._send_first(connection, is_cached=is_cached)
            self._worker = connection
            self._prefill_read.clear()
            forwarding = asyncio.ensure_future(self._client_to_worker(connection))
            answering = asyncio.ensure_future(self._worker_to_client(connection))
            try:
                await asyncio.wait({forwarding, answering}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    forwarding.result()
                    return None
                ending = answering.result()
            finally:
                self._worker = None
                await cancel_and_wait([forwarding, answering])
            if ending.is_done and self._is_answering:
                await self._let_keep(worker, connection)
            return ending

    async def _send_first(self, worker: ClientConnection, *, is_cached: bool) -> None:
        """The prefill: what is new for a worker that has the history, all for any other."""
        messages = messages_of(self._prefill)
        frame = await asyncio.to_thread(
            worker_prefill,
            self._prefill,
            messages[-1:] if is_cached else messages,
            clear_kv_cache=not is_cached,
            history_hash=self._history_hash if is_cached else None,
            audio_epoch=self.audio_epoch,
            recording_id=self.recording_id,
        )
        with contextlib.suppress(ConnectionClosed):  # the reading side finds out why and tells
            await worker.send(frame)

    async def _client_to_worker(self, worker: ClientConnection) -> None:
        """Send on what the client sends, until it wants to close."""
        try:
            for frame in tuple(self._later_frames):
                await self._prefill_read.wait()
                await worker.send(frame)
            while True:
                message = parse_object(await self._socket.receive_text(), "The message")
                if message.get("type") == "close":
                    self.client_closes = True
                    return
                if message.get("type") == "playback":
                    if self._answer_begun:  # else it is about an earlier answer, and too late
                        self.playback = message
                    continue
                try:
                    frame = self._admitted(message)
                except errors.RequestError as error:
                    await self._socket.send_error(error)
                    continue
                if not self._answer_begun:
                    self._later_frames.append(frame)
                if frame != STOP:
                    await self._prefill_read.wait()
                await worker.send(frame)
        except ConnectionClosed:
            await asyncio.Event().wait()  # the reading side finds out why and tells

    def _admitted(self, message: dict[str, Any]) -> str:
        """The frame to send on.

        Raises:
            RequestError: the message must not come now, or at all.
        """
        kind = message.get("type")
        if kind == "stop":
            self._stop_asked = True
            return STOP
        if kind not in ("prefill", "generate"):
            raise unknown_type(kind)
        if self._is_answering:
            raise errors.RequestError(f"{kind} must wait until the turn is done", field="type")
        if kind == "generate":
            self._is_answering = True
            return json.dumps(message, ensure_ascii=False)
        messages = messages_of(message)
        self._messages += messages
        return worker_prefill(message, messages, clear_kv_cache=False, audio_epoch=self.audio_epoch)

    async def _worker_to_client(self, worker: ClientConnection) -> Ending:
        """Relay what the worker says, up to the end of the turn.

        Raises:
            WorkerLostError: the worker left without ending it.
        """
        n_prefills_read = 0
        while True:
            try:
                frame = await worker.recv(decode=True)
            except ConnectionClosed as closed:
                raise errors.WorkerLostError("The worker was lost") from closed
            message = parse_object(frame, "The worker's message")
            self.audio_epoch = max(self.audio_epoch, message.get("audio_epoch") or 0)
            match message.get("type"):
                case "done" | "error" as kind:
                    return Ending(frame, kind == "done", bool(message.get("stopped")))
                case "cache_miss":
                    await self._send_first(worker, is_cached=False)
                    if self._stop_asked:
                        await self.stop()
                    continue
                case "prefill_done":
                    n_prefills_read += 1
                    self.recording_id = message.get("recording_session_id") or self.recording_id
                    self._prefill_read.set()
                    if n_prefills_read <= self._n_prefills_told:
                        continue
                    self._n_prefills_told = n_prefills_read
                case _:
                    self._answer_begun = True
                    self._later_frames.clear()
                    self._text.append(message.get("text_delta") or "")
            await self._socket.send_frame(frame)

    async def _let_keep(self, worker: WorkerConnection, connection: ClientConnection) -> None:
        """Have the worker keep the conversation under the hash of all of it."""
        question = await asyncio.to_thread(QuestionHash, self._messages)
        kept = KeptAnswer(worker, question, self.recording_id)
        with contextlib.suppress(ConnectionClosed):
            await kept.keep(connection, "".join(self._text))
            self.kept_answer = kept
