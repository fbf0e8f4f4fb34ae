"""`WS /ws/streaming`: turns of a conversation whose cache stays filled between them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from fastapi import APIRouter, WebSocket

from core.errors import (
    IdleTimeoutError,
    RequestError,
    ServiceError,
    UnknownTypeError,
    socket_message,
)
from core.logs import event
from core.processors import Conversation, PrefillTask
from core.schemas import (
    CacheMissMessage,
    PlaybackMessage,
    ServerMessage,
    StreamingCloseMessage,
    StreamingGenerateMessage,
    StreamingPrefillMessage,
    TruncatedMessage,
    WorkerStatus,
)
from core.tasks import beside, cancel_and_wait, within
from worker_modules.dependencies import Service
from worker_modules.inference import Run
from worker_modules.recorded_turns import RecordedTurns
from worker_modules.service import HeldSlot, WorkerService, new_session_id
from worker_modules.socket_endpoint import serve_socket
from worker_modules.streaming_turn import StreamingTurn
from worker_modules.wire import receive_object, validate

logger = logging.getLogger(__name__)
router = APIRouter()

WAITING_MESSAGES = 16


@router.websocket("/ws/streaming")
async def streaming_socket(websocket: WebSocket, service: Service) -> None:
    """Turns of `prefill`, one or more, and `generate`; a wrong message does not end the socket."""
    await serve_socket(websocket, StreamingSocket(websocket, service))


@router.post("/streaming/stop")
async def stop_streaming(service: Service) -> dict[str, Any]:
    """End every turn that reads or generates now."""
    n_stopped = sum(socket.stop() for socket in tuple(service.streaming_sockets))
    if not n_stopped:
        return {"success": False, "message": "No active streaming session"}
    return {"success": True, "message": f"Stop signal sent to {n_stopped} session(s)"}


class TurnEndedError(Exception):
    """The client gave the turn up, and perhaps the socket."""


class StreamingSocket:
    """One socket: a task that reads what comes, and one that acts on it in order.

    While the model works, a third one answers what comes meanwhile, so that `stop` is heard at any
    moment. Between two turns the conversation is kept under the id of this socket, and after
    `close` under the hash of its history, if the gateway gives it.
    """

    def __init__(self, websocket: WebSocket, service: WorkerService) -> None:
        self.session_id = new_session_id("stm")
        self._websocket = websocket
        self._service = service
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING_MESSAGES)
        self._deferred: deque[dict[str, Any]] = deque()
        self._run: Run | None = None
        self._has_history = False
        self._is_closing = False
        self._recorded = RecordedTurns()

    def stop(self) -> bool:
        """End what the model does for this socket; False when it does nothing."""
        if self._run is None:
            return False
        logger.info(event("stop_requested", session_id=self.session_id))
        self._run.cancel()
        return True

    async def serve(self) -> None:
        """Until `close`; a client that leaves ends its turn."""
        acting = asyncio.create_task(self._act())
        reading = asyncio.create_task(self._read(acting))
        self._service.streaming_sockets.add(self)
        try:
            await asyncio.wait({acting, reading}, return_when=asyncio.FIRST_COMPLETED)
            await (acting if acting.done() else reading)
        finally:
            await cancel_and_wait((acting, reading))
            self._service.forget(self.session_id)
            self._recorded.close()
            self._service.streaming_sockets.discard(self)

    async def _read(self, acting: asyncio.Task[None]) -> None:
        message: dict[str, Any] = {}
        while message.get("type") != "close":
            max_depth = self._service.config.limits.json_depth
            message = await receive_object(self._websocket, max_depth)
            await self._inbox.put(message)
        await acting

    async def _act(self) -> None:
        while not self._is_closing:
            message = await self._next()
            try:
                match message.get("type"):
                    case "prefill":
                        await self._turn(message)
                    case "close":
                        self._close(message)
                    case "playback":
                        await self._cut_answer(message)
                    case "stop":
                        continue  # there is nothing to stop
                    case "generate":
                        raise RequestError("prefill must come before generate", field="type")
                    case unknown:
                        raise unknown_type(unknown)
            except TurnEndedError:
                logger.info(event("turn_given_up", session_id=self.session_id))
            except RequestError as error:
                await self._tell(error)

    async def _next(self) -> dict[str, Any]:
        return self._deferred.popleft() if self._deferred else await self._inbox.get()

    def _close(self, message: dict[str, Any]) -> None:
        self._is_closing = True
        history_hash = validate(StreamingCloseMessage, message).history_hash
        if history_hash is not None:
            self._service.rename(self.session_id, history_hash)

    async def _cut_answer(self, message: dict[str, Any]) -> None:
        """The client heard only a part of the last answer: go on from there."""
        playback = validate(PlaybackMessage, message)
        key = playback.history_hash or self.session_id
        text = await self._service.cut_answer(key, playback.audio_epoch, playback.played_ms)
        if text is None:
            await self._send(CacheMissMessage())
            return
        self._service.rename(key, self.session_id)
        await self._record_cut(playback, text)
        await self._send(TruncatedMessage(audio_epoch=playback.audio_epoch, text=text))

    # -- a turn ----------------------------------------------------------------------------------

    async def _turn(self, message: dict[str, Any]) -> None:
        """From `prefill` to `done`, or until the client gives up."""
        request, task = await self._read_prefill(message)
        key = request.history_hash or self.session_id
        if request.clear_kv_cache:
            self._has_history = False
        goes_on = not request.clear_kv_cache and bool(request.history_hash or self._has_history)
        async with self._service.slot(WorkerStatus.BUSY_STREAMING, self.session_id, key) as slot:
            if request.clear_kv_cache and slot.conversation is not None:
                self._service.discard(slot.conversation)
                slot.conversation = None
            if slot.conversation is None:
                if goes_on:
                    await self._send(CacheMissMessage())
                    return
                slot.conversation = self._service.streaming_view.open()
            conversation = slot.conversation
            conversation.audio_epoch = max(conversation.audio_epoch, request.audio_epoch)
            turn = StreamingTurn(conversation.audio_epoch, "streaming")
            await self._prefill(slot, conversation, turn, request, task)
            generate = await self._until_generate(slot, conversation, turn)
            conversation.spoken = turn.spoken
            warning = await self._generate(slot, conversation, turn, generate)
            conversation.audio_epoch += turn.is_interrupted
            self._service.keep(self.session_id, slot)
            self._has_history = True
        await self._send(turn.final_chunk())
        await self._send_done(turn, generate.session_id, warning)

    async def _until_generate(
        self, slot: HeldSlot, conversation: Conversation, turn: StreamingTurn
    ) -> StreamingGenerateMessage:
        """Read further messages until the client asks for the answer."""
        idle_s = self._service.config.sessions.streaming_prefill_idle_s
        while True:
            try:
                message = await within(idle_s, self._next())
            except asyncio.TimeoutError as error:
                raise IdleTimeoutError(f"no generate within {idle_s:g} s", limit=idle_s) from error
            match message.get("type"):
                case "prefill":
                    request, task = await self._read_prefill(message, is_continuation=True)
                    await self._prefill(slot, conversation, turn, request, task)
                case "generate":
                    return validate(StreamingGenerateMessage, message)
                case "stop" | "close" as kind:
                    self._is_closing = kind == "close"
                    await self._give_up(turn)
                case "playback":
                    pass  # too late: the answer is part of the conversation
                case unknown:
                    await self._tell(unknown_type(unknown))

    async def _prefill(
        self,
        slot: HeldSlot,
        conversation: Conversation,
        turn: StreamingTurn,
        request: StreamingPrefillMessage,
        task: PrefillTask,
    ) -> None:
        run = slot.start(lambda: conversation.prefill(task))
        async with self._heeding(run, defers=True):
            pieces = [piece async for piece in run]
        if run.cancelled or not pieces:
            await self._give_up(turn)
        prefilled = turn.prefilled(request, pieces[-1])
        if self._recorded.session_id is not None:
            prefilled.recording_session_id = self._recorded.session_id
        await self._send(prefilled)

    async def _generate(
        self,
        slot: HeldSlot,
        conversation: Conversation,
        turn: StreamingTurn,
        request: StreamingGenerateMessage,
    ) -> str | None:
        """Answer; returns a warning when the answer is not all that was asked for."""
        assert turn.settings is not None
        view = self._service.streaming_view
        task = await asyncio.to_thread(view.read_answer, turn.settings, request)
        turn.generating()
        self._recorded.begin_turn()
        run = slot.start(lambda: conversation.answer(task))
        async with self._heeding(run, defers=False):
            async for first in run:
                chunk = turn.chunk([first, *run.waiting()])
                if chunk is not None:
                    self._recorded.add(chunk)
                    await self._send(chunk)
        if self._is_closing:
            raise TurnEndedError
        return task.warning

    @asynccontextmanager
    async def _heeding(self, run: Run, *, defers: bool) -> AsyncIterator[None]:
        """In the block, `stop` and `close` end the run; the rest is refused, or left for later."""
        self._run = run
        async with beside(self._heed(defers)):
            try:
                yield
            finally:
                self._run = None

    async def _heed(self, defers: bool) -> None:
        while True:
            message = await self._inbox.get()
            match message.get("type"):
                case "stop":
                    self.stop()
                case "close":
                    self._is_closing = True
                    self.stop()
                case "playback" if len(self._deferred) < WAITING_MESSAGES:
                    self._deferred.append(message)  # told once it is known how the turn ended
                case "prefill" | "generate" if defers and len(self._deferred) < WAITING_MESSAGES:
                    self._deferred.append(message)
                case "prefill" | "generate" as kind:
                    busy = f"{kind} must wait until the turn is done; send stop to end it"
                    await self._tell(RequestError(busy, field="type"))
                case unknown:
                    await self._tell(unknown_type(unknown))

    async def _give_up(self, turn: StreamingTurn) -> NoReturn:
        """Tell a client that stopped before it asked for the answer, and end the turn."""
        if not self._is_closing:
            await self._send_done(turn, None, None)
        raise TurnEndedError

    # -- messages --------------------------------------------------------------------------------

    async def _read_prefill(
        self, message: dict[str, Any], *, is_continuation: bool = False
    ) -> tuple[StreamingPrefillMessage, PrefillTask]:
        """Check and decode; large payloads are let go of on the way."""
        view = self._service.streaming_view

        def work() -> tuple[StreamingPrefillMessage, PrefillTask]:
            request = validate(StreamingPrefillMessage, message)
            message.clear()
            follows = is_continuation or not request.clear_kv_cache
            return request, view.read_prefill(request, is_continuation=follows)

        request, task = await asyncio.to_thread(work)
        if self._recorded.session_id is None and not is_continuation:
            self._recorded = await self._service.recordings.streaming(request)
        self._recorded.read(request.messages, is_continuation=is_continuation)
        return request, task

    async def _send_done(
        self, turn: StreamingTurn, session_id: str | None, warning: str | None
    ) -> None:
        done = turn.done(session_id, warning)
        self._recorded.end_streamed_turn(done)
        stats, stopped = done.token_stats, done.stopped
        logger.info(event("streaming_done", session_id=self.session_id, stopped=stopped, **stats))
        await self._send(done)

    async def _record_cut(self, playback: PlaybackMessage, text: str) -> None:
        """The recording, too, ends with what was heard; the turn may have had another socket."""
        recording_id = playback.recording_session_id
        if self._recorded.session_id is None and recording_id is not None:
            resumed = await self._service.recordings.resumed(recording_id)
            self._recorded = resumed or self._recorded
        self._recorded.cut_turn(text, playback.played_ms)

    async def _tell(self, error: ServiceError) -> None:
        """Say what is wrong; the socket stays open."""
        await self._websocket.send_json(socket_message(error))

    async def _send(self, message: ServerMessage) -> None:
        await self._websocket.send_json(message.to_wire())


def unknown_type(kind: object) -> UnknownTypeError:
    """A message of a type that nobody knows."""
    return UnknownTypeError(f"Unknown message type: {kind}", field="type")
