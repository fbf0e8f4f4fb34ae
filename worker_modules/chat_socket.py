"""`WS /ws/chat`: one request, its answer as it is written, then the end of the socket."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import numpy as np
from fastapi import APIRouter, WebSocket

from core.errors import IdleTimeoutError, UnknownTypeError
from core.logs import event
from core.processors import (
    ChatEvent,
    ChatTask,
    ChatView,
    Delta,
    Finished,
    Prefilled,
    SpokenAnswer,
)
from core.processors.sound import float_base64, sound_of
from core.schemas import (
    SPEECH_SAMPLE_RATE,
    ChatStreamRequest,
    ChunkMessage,
    DoneMessage,
    PlaybackMessage,
    PrefillDoneMessage,
    ServerMessage,
    WorkerStatus,
)
from core.tasks import cancel_and_wait, within
from worker_modules.dependencies import Service
from worker_modules.inference import Run
from worker_modules.metrics import AnswerTimes, count_tokens
from worker_modules.recorded_turns import RecordedTurns
from worker_modules.service import WorkerService, new_session_id
from worker_modules.socket_endpoint import serve_socket
from worker_modules.wire import receive_object, validate

logger = logging.getLogger(__name__)
router = APIRouter()


@router.websocket("/ws/chat")
async def chat_socket(websocket: WebSocket, service: Service) -> None:
    """Answer one `ChatStreamRequest`; errors are told before the socket closes."""
    await serve_socket(websocket, ChatSocket(websocket, service))


class ChatSocket:
    """One socket: a task that answers, and one that listens for `stop` and for the client's end.

    The two run side by side, because a client may stop or leave at any time. A client that tells
    how much it has played gets only the text that goes with it.
    """

    def __init__(self, websocket: WebSocket, service: WorkerService) -> None:
        self.session_id = new_session_id("chat")
        self._websocket = websocket
        self._service = service
        self._run: Run[ChatEvent] | None = None
        self._stopped = False
        self._input_tokens = 0
        self._generated_tokens = 0
        self._times = AnswerTimes("chat")
        self._spoken = SpokenAnswer()
        self._sound: list[np.ndarray] = []
        self._finished: Finished | None = None
        self._played_ms: float | None = None
        self._recorded = RecordedTurns()

    async def serve(self) -> None:
        """From the request to `done`.

        Raises:
            ServiceError: what to tell the client instead.
            WebSocketDisconnect: the client went away; its generation has been cancelled.
        """
        view = self._service.chat_view
        request = await self._first_object()
        answering = asyncio.create_task(self._answer(view, request))
        listening = asyncio.create_task(self._listen(answering))
        try:
            await asyncio.wait({answering, listening}, return_when=asyncio.FIRST_COMPLETED)
            if answering.cancelled() and self._stopped:
                await self._send_done(streaming=True, warning=None)
            elif answering.done():
                answering.result()
            else:
                listening.result()
        finally:
            await cancel_and_wait((answering, listening))
            self._recorded.close()

    async def _first_object(self) -> dict[str, Any]:
        idle_s = self._service.config.sessions.streaming_prefill_idle_s
        try:
            return await within(idle_s, self._receive())
        except asyncio.TimeoutError as error:
            raise IdleTimeoutError(f"no request within {idle_s:g} s", limit=idle_s) from error

    async def _receive(self) -> dict[str, Any]:
        return await receive_object(self._websocket, self._service.config.limits.json_depth)

    async def _listen(self, answering: asyncio.Task[None]) -> None:
        """Until the client leaves, which is raised."""
        while True:
            message = await self._receive()
            if message.get("type") == "playback":
                self._played_ms = validate(PlaybackMessage, message).played_ms
                continue
            if message.get("type") != "stop":
                raise UnknownTypeError("only stop or playback may follow", field="type")
            self._stopped = True
            logger.info(event("stop_requested", session_id=self.session_id))
            if self._run is not None:
                self._run.cancel()
            else:
                answering.cancel()

    async def _answer(self, view: ChatView, request: dict[str, Any]) -> None:
        task, streaming = await self._read(view, request)
        async with self._service.slot(WorkerStatus.BUSY_CHAT, self.session_id) as slot:
            self._run = slot.start(lambda: view.run(task))
            async for first in self._run:
                await self._relay([first, *self._run.waiting()], streaming)
        await self._send_done(streaming, task.warning)

    async def _relay(self, events: list[ChatEvent], streaming: bool) -> None:
        """Send what has arrived since the last time, with all new text in one chunk."""
        text = ""
        sound = sound_of(events)
        for item in events:
            if isinstance(item, Prefilled):
                self._input_tokens = item.input_tokens
                self._recorded.begin_turn()
                await self._send(PrefillDoneMessage(input_tokens=item.input_tokens))
            elif isinstance(item, Delta):
                self._generated_tokens = item.generated_tokens
                text += item.text
            else:
                self._finished = item
        self._times.note(has_text=bool(text), has_sound=sound is not None)
        self._spoken.add(text, 0, 0 if sound is None else sound.size)
        if sound is not None and not streaming:
            self._sound.append(sound)
        if text or sound is not None:
            chunk = _chunk(text, sound)
            self._recorded.add(chunk)
            if streaming:
                await self._send(chunk)

    async def _send_done(self, streaming: bool, warning: str | None) -> None:
        done = DoneMessage(
            text=self._said(),
            generated_tokens=self._generated_tokens,
            input_tokens=self._input_tokens,
            stopped=self._stopped and self._finished is None,
        )
        if done.stopped and self._spoken.has_sound:
            done.interrupted = True
            done.audio_epoch = 1
        self._record_done(done)
        if warning := self._recorded.warning(warning):
            done.warning = warning
        if not streaming:
            # sent as null when sound was possible and there is none
            done.audio_data = float_base64(np.concatenate(self._sound)) if self._sound else None
        count_tokens("chat", done.input_tokens, done.generated_tokens)
        logger.info(
            event(
                "chat_done",
                session_id=self.session_id,
                input_tokens=done.input_tokens,
                generated_tokens=done.generated_tokens,
                stopped=done.stopped,
            )
        )
        await self._send(done)

    def _record_done(self, done: DoneMessage) -> None:
        if self._recorded.is_empty:
            return
        timing = {
            "elapsed_ms": self._recorded.elapsed_ms,
            "tokens": done.generated_tokens,
            "input_tokens": done.input_tokens,
        }
        self._recorded.end_turn(timing, done.text)
        if self._played_ms is not None and self._spoken.has_sound:
            self._recorded.cut_turn(done.text, self._played_ms)
        done.recording_session_id = self._recorded.session_id

    def _said(self) -> str:
        if self._played_ms is not None and self._spoken.has_sound:
            return self._spoken.cut(self._played_ms).text
        return self._finished.text if self._finished else self._spoken.whole.text

    async def _send(self, message: ServerMessage) -> None:
        await self._websocket.send_json(message.to_wire())

    async def _read(self, view: ChatView, message: dict[str, Any]) -> tuple[ChatTask, bool]:
        """The task, and whether its answer is streamed."""
        task, request = await asyncio.to_thread(_read_task, view, message)
        self._recorded = self._service.recordings.chat(request)
        return task, request.streaming


def _chunk(text: str, sound: np.ndarray | None) -> ChunkMessage:
    chunk = ChunkMessage()
    if text:
        chunk.text_delta = text
    if sound is not None:
        chunk.audio_data = float_base64(sound)
        chunk.audio_sample_rate = SPEECH_SAMPLE_RATE
    return chunk


def _read_task(view: ChatView, message: dict[str, Any]) -> tuple[ChatTask, ChatStreamRequest]:
    """Check and decode; large payloads are let go of on the way."""
    request = validate(ChatStreamRequest, message)
    message.clear()
    request.tts.output_path = None  # nothing is written to the server for a client
    return view.read(request), request
