"""`WS /ws/duplex`: a call in which the model hears, sees and speaks at the same time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from fastapi import APIRouter, WebSocket
from PIL import Image
from pydantic import BaseModel

from core.errors import IdleTimeoutError, RequestError, ServiceError
from core.logs import event
from core.processors.duplex_reader import FRAMES_PER_CHUNK
from core.schemas import (
    DuplexAudioChunkMessage,
    DuplexInterruptedMessage,
    DuplexPausedMessage,
    DuplexPauseMessage,
    DuplexPrepareMessage,
    DuplexResumedMessage,
    DuplexStoppedMessage,
    DuplexTimeoutMessage,
    DuplexVideoFrameMessage,
    PlaybackMessage,
    WorkerStatus,
)
from core.tasks import cancel_and_wait
from worker_modules.dependencies import Service
from worker_modules.duplex_answers import DuplexAnswers, OngoingCall
from worker_modules.duplex_backlog import WaitingChunk
from worker_modules.duplex_limits import CallLimits
from worker_modules.duplex_phase import Phase
from worker_modules.service import WorkerService, clean_session_id
from worker_modules.socket_endpoint import serve_socket
from worker_modules.wire import receive_object, validate

logger = logging.getLogger(__name__)
router = APIRouter()

Message = TypeVar("Message", bound=BaseModel)
Read = TypeVar("Read")

AUDIO_IDS = ("adx_", "audio_duplex")


@router.websocket("/ws/duplex")
async def duplex_socket(
    websocket: WebSocket, service: Service, session_id: str = "", mode: str = ""
) -> None:
    """`prepare`, then a result for each `audio_chunk`; a wrong message does not end the call."""
    session_id = clean_session_id(session_id, "omni")
    if not mode:
        mode = "audio" if session_id.startswith(AUDIO_IDS) else "omni"
    await serve_socket(websocket, DuplexSocket(websocket, service, session_id, mode))


class PauseExpiredError(Exception):
    """The client held the call for too long."""


class DuplexSocket:
    """One call: a task that reads what comes, and one that answers chunk after chunk.

    What is no chunk is heeded at once, also while the model works. Pictures that come by
    themselves wait for the next chunk.
    """

    def __init__(
        self, websocket: WebSocket, service: WorkerService, session_id: str, mode: str
    ) -> None:
        self.session_id = session_id
        self._mode = mode
        self._websocket = websocket
        self._service = service
        self._frames: list[Image.Image] = []
        self._recorded_frame: str | None = None

    async def serve(self) -> None:
        """Until `stop`, or until a limit is reached.

        Raises:
            ServiceError: what to tell the client before the end.
            WebSocketDisconnect: the client went away; its work ends before the next step.
        """
        self._view = self._service.duplex_view
        call = self._view.open()
        async with self._service.slot(WorkerStatus.DUPLEX_ACTIVE, self.session_id) as slot:
            logger.info(event("call_begun", session_id=self.session_id, mode=self._mode))
            try:
                with CallLimits(self._service.config.sessions.duplex_max_s) as limits:
                    self._ongoing = OngoingCall(call, slot, limits, self._websocket.send_json)
                    try:
                        await self._converse()
                    finally:
                        self._ongoing.recorded.close()
            finally:
                slot.cancel()
                self._service.discard(call)

    async def _converse(self) -> None:
        ongoing = self._ongoing
        answers = DuplexAnswers(ongoing, self._expect_chunk)
        self._expect_chunk()
        answering = asyncio.create_task(answers.run())
        reading = asyncio.create_task(self._read())
        try:
            ends = {answering, reading, ongoing.limits.expired}
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in done:
                end.result()
        except PauseExpiredError as error:
            await ongoing.send(DuplexTimeoutMessage(reason=str(error)))
        finally:
            await cancel_and_wait((answering, reading))
            logger.info(
                event(
                    "call_ended",
                    session_id=self.session_id,
                    mode=self._mode,
                    results=answers.n_results,
                    audio_epochs=ongoing.speech.epoch + 1,
                    played_ms=round(sum(ongoing.speech.played_ms.values())),
                )
            )
        if ongoing.phase.phase is Phase.STOPPED:
            await ongoing.send(self._stopped())

    # -- what the client says ---------------------------------------------------------------------

    async def _read(self) -> None:
        phase = self._ongoing.phase
        while phase.phase is not Phase.STOPPED:
            message = await receive_object(self._websocket, self._service.config.limits.json_depth)
            kind = message.get("type")
            refusal = phase.refusal(kind)
            try:
                if kind == "audio_chunk":
                    await self._take_chunk(message, refusal)
                elif refusal is not None:
                    raise refusal
                else:
                    await self._heed(kind, message)
            except ServiceError as error:
                await self._ongoing.tell(error)

    async def _heed(self, kind: object, message: dict[str, Any]) -> None:
        match kind:
            case "prepare":
                await self._take_prepare(message)
            case "video_frame":
                encoded = message.get("frame")
                frame = await _decode(DuplexVideoFrameMessage, message, self._view.read_frame)
                self._frames = [*self._frames, frame][-FRAMES_PER_CHUNK:]
                self._recorded_frame = self._recorded_frame or encoded
            case "playback":
                playback = validate(PlaybackMessage, message)
                self._ongoing.speech.hear(playback.audio_epoch, playback.played_ms)
                self._ongoing.recorded.playback(playback.audio_epoch, playback.played_ms)
            case "interrupt":
                await self._interrupt()
            case "pause":
                await self._pause(validate(DuplexPauseMessage, message).timeout)
            case "resume":
                await self._resume()
            case "stop":
                self._ongoing.phase.move_to(Phase.STOPPED)

    async def _take_prepare(self, message: dict[str, Any]) -> None:
        read = self._view.read_prepare
        request, task = await _decode(
            DuplexPrepareMessage, message, lambda given: (given, read(given))
        )
        self._ongoing.recorded.close()  # of an attempt that failed
        recordings = self._service.recordings
        self._ongoing.recorded = recordings.duplex(self.session_id, self._mode, request)
        self._ongoing.phase.move_to(Phase.PREPARING)
        self._expect_chunk()
        await self._ongoing.backlog.put(task)

    async def _take_chunk(self, message: dict[str, Any], refusal: RequestError | None) -> None:
        """Put a chunk in line, or its error: each has its answer when its turn comes."""
        chunk = WaitingChunk(None, refusal)
        chunk.arrived_s = time.monotonic()
        if refusal is None:
            frames = message.get("frame_base64_list") or [None]
            try:
                task = await _decode(DuplexAudioChunkMessage, message, self._view.read_chunk)
            except ServiceError as error:
                chunk.error = error
            else:
                chunk.task = replace(task, frames=[*self._frames, *task.frames])
                self._frames = []
                first_frame = self._recorded_frame or frames[0]
                chunk.recorded = self._ongoing.recorded.take(task, first_frame)
                self._recorded_frame = None
                if task.force_listen:
                    self._ongoing.backlog.force_listen()
        self._expect_chunk()
        await self._ongoing.backlog.put(chunk)

    async def _interrupt(self) -> None:
        """Void what is being said, and have the model listen to what comes next."""
        ongoing = self._ongoing
        was_cut = ongoing.cut_speech()
        ongoing.force_next = True
        ongoing.backlog.force_listen()
        interrupted = DuplexInterruptedMessage(audio_epoch=ongoing.speech.epoch)
        if was_cut:
            interrupted.interrupted = True
        await ongoing.send(interrupted)

    async def _pause(self, asked_s: float | None) -> None:
        ongoing = self._ongoing
        default_s = self._service.worker.duplex_pause_timeout
        timeout_s = min(asked_s or default_s, self._service.config.sessions.duplex_pause_max_s)
        if ongoing.phase.phase is not Phase.PAUSED:
            ongoing.phase.move_to(Phase.PAUSED)
            self._service.worker.state.pause(ongoing.slot.slot)
        ongoing.limits.expect(timeout_s, PauseExpiredError(f"Pause timeout ({timeout_s:.1f}s)"))
        await ongoing.send(DuplexPausedMessage(timeout=timeout_s))

    async def _resume(self) -> None:
        ongoing = self._ongoing
        ongoing.phase.move_to(Phase.ACTIVE)
        self._service.worker.state.resume(ongoing.slot.slot)
        self._expect_chunk()
        await ongoing.send(DuplexResumedMessage())

    def _expect_chunk(self) -> None:
        """A call that is not paused ends when no chunk comes."""
        if self._ongoing.phase.phase is not Phase.PAUSED:
            idle_s = self._service.config.sessions.duplex_idle_s
            error = IdleTimeoutError(f"no audio_chunk within {idle_s:g} s", limit=idle_s)
            self._ongoing.limits.expect(idle_s, error)

    def _stopped(self) -> DuplexStoppedMessage:
        was_cut = self._ongoing.cut_speech()
        speech = self._ongoing.speech
        stopped = DuplexStoppedMessage(session_id=self.session_id, audio_epoch=speech.epoch)
        if was_cut:
            stopped.interrupted = True
        return stopped


async def _decode(
    model: type[Message], message: dict[str, Any], read: Callable[[Message], Read]
) -> Read:
    """Check a message and decode its media beside the event loop, letting go of it on the way."""

    def work() -> Read:
        request = validate(model, message)
        message.clear()
        return read(request)

    return await asyncio.to_thread(work)
