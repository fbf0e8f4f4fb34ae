"""`WS /ws/half_duplex`: a call in which the caller's silence gives the word to the model."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi import APIRouter, WebSocket
from pydantic import BaseModel

from core.errors import RequestError, ServiceError, socket_message
from core.logs import event
from core.processors import HalfDuplexCall
from core.processors.media import decode_audio
from core.schemas import (
    MODEL_SAMPLE_RATE,
    GeneratingMessage,
    HalfDuplexAudioMessage,
    HalfDuplexPreparedMessage,
    HalfDuplexPrepareMessage,
    HalfDuplexStoppedMessage,
    PlaybackMessage,
    ServerMessage,
    TruncatedMessage,
    TurnDoneMessage,
    VadStateMessage,
    WorkerStatus,
)
from core.tasks import beside, cancel_and_wait, within
from worker_modules.call_clock import CallClock
from worker_modules.call_phase import CallPhase, Phase
from worker_modules.dependencies import Service
from worker_modules.hearing import Hearing
from worker_modules.inference import Run
from worker_modules.recorded_turns import RecordedTurns
from worker_modules.service import HeldSlot, WorkerService, clean_session_id
from worker_modules.socket_endpoint import serve_socket
from worker_modules.streaming_socket import unknown_type
from worker_modules.streaming_turn import StreamingTurn
from worker_modules.wire import receive_object, validate

logger = logging.getLogger(__name__)
router = APIRouter()

WAITING_MESSAGES = 16
LONGEST_CHUNK_S = 30.0


class StopRequest(BaseModel):
    """Which answers to stop: that of one session, or all."""

    session_id: str | None = None


@router.websocket("/ws/half_duplex")
async def half_duplex_socket(websocket: WebSocket, service: Service, session_id: str = "") -> None:
    """One call, from `prepare` to `stop`; a wrong message does not end it."""
    session_id = clean_session_id(session_id, "hdx")
    await serve_socket(websocket, HalfDuplexSocket(websocket, service, session_id))


@router.post("/half_duplex/stop")
async def stop_half_duplex(service: Service, request: StopRequest | None = None) -> dict[str, Any]:
    """End the answers that are generated now; the calls go on."""
    session_id = request.session_id if request is not None else None
    n_stopped = sum(
        socket.stop()
        for socket in tuple(service.half_duplex_sockets)
        if session_id in (None, socket.session_id)
    )
    if not n_stopped:
        return {"success": False, "message": "No active half-duplex session"}
    return {"success": True, "message": f"Stop signal sent to {n_stopped} session(s)"}


@dataclass(frozen=True)
class OpenCall:
    """A call that is prepared: who answers, who listens, and where the model's work is run."""

    slot: HeldSlot
    model: HalfDuplexCall
    hearing: Hearing


class HalfDuplexSocket:
    """One socket: a task that reads what comes, and one that acts on it in order.

    While the model works, a third one hears what comes meanwhile: `stop` at any moment, and sound
    only to drop it, because nobody listens while somebody else is talking.
    """

    def __init__(self, websocket: WebSocket, service: WorkerService, session_id: str) -> None:
        self.session_id = session_id
        self._websocket = websocket
        self._service = service
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(WAITING_MESSAGES)
        self._phase = CallPhase()
        self._clock = CallClock(service.config.sessions.half_duplex_idle_s)
        self._farewell: ServerMessage | None = None
        self._run: Run | None = None
        self._playback: dict[str, Any] | None = None
        self._n_turns = 0
        self._recorded = RecordedTurns()

    def stop(self) -> bool:
        """End the answer that is generated now; False when there is none."""
        if not self._phase.is_answering or self._run is None:
            return False
        logger.info(event("stop_requested", session_id=self.session_id))
        self._run.cancel()
        return True

    async def serve(self) -> None:
        """Until `stop` or a limit; a client that leaves ends the call, too."""
        acting = asyncio.create_task(self._act())
        reading = asyncio.create_task(self._read())
        self._service.half_duplex_sockets.add(self)
        try:
            await asyncio.wait({acting, reading}, return_when=asyncio.FIRST_COMPLETED)
            await (acting if acting.done() else reading)
        finally:
            await cancel_and_wait((acting, reading))
            self._recorded.close()
            self._service.half_duplex_sockets.discard(self)

    async def _read(self) -> None:
        max_depth = self._service.config.limits.json_depth
        while True:
            await self._inbox.put(await receive_object(self._websocket, max_depth))

    async def _act(self) -> None:
        async with self._service.slot(WorkerStatus.BUSY_HALF_DUPLEX, self.session_id) as slot:
            call = None
            while call is None and (message := await self._next()) is not None:
                async with self._telling_errors():
                    call = await self._prepare(slot, message)
            while call is not None and (message := await self._next()) is not None:
                async with self._telling_errors():
                    await self._go_on(call, message)
        assert self._farewell is not None, "the call has not ended"
        await self._send(self._farewell)

    async def _next(self) -> dict[str, Any] | None:
        """The next message; None when the call is over."""
        if self._phase.has_ended:
            return None
        try:
            message = await within(self._clock.left_s, self._inbox.get())
        except asyncio.TimeoutError:
            self._end(self._clock.timeout())
            return None
        if message.get("type") == "stop":
            self._end(HalfDuplexStoppedMessage(session_id=self.session_id))
            return None
        return message

    def _end(self, farewell: ServerMessage) -> None:
        self._phase.move_to(Phase.ENDED)
        self._farewell = farewell

    # -- opening ---------------------------------------------------------------------------------

    async def _prepare(self, slot: HeldSlot, message: dict[str, Any]) -> OpenCall | None:
        """Open the call; None when the client has ended it meanwhile."""
        if message.get("type") != "prepare":
            raise self._refusal(message)
        call, request = await asyncio.to_thread(self._read_prepare, slot, message)
        self._recorded.close()  # of an attempt that failed
        self._recorded = self._service.recordings.half_duplex(self.session_id, request)
        slot.conversation = call.model.conversation
        try:
            async with self._heeding(slot.start(call.model.begin)) as run:
                async for _ in run:
                    continue
        except ServiceError:
            slot.conversation = None
            self._service.discard(call.model.conversation)
            raise
        if self._phase.has_ended:
            return None
        self._phase.move_to(Phase.LISTENING)
        limit_s = self._service.config.sessions.half_duplex_max_s
        timeout_s = min(request.config.session.timeout_s, limit_s)
        self._clock.start(timeout_s)
        logger.info(event("call_prepared", session_id=self.session_id, timeout_s=timeout_s))
        prepared = HalfDuplexPreparedMessage(session_id=self.session_id, timeout_s=timeout_s)
        if self._recorded.session_id is not None:
            prepared.recording_session_id = self._recorded.session_id
        if call.model.warning:
            prepared.warning = call.model.warning
        await self._send(prepared)
        return call

    def _read_prepare(
        self, slot: HeldSlot, message: dict[str, Any]
    ) -> tuple[OpenCall, HalfDuplexPrepareMessage]:
        """Check and decode; large payloads are let go of on the way."""
        request = validate(HalfDuplexPrepareMessage, message)
        message.clear()
        sessions = self._service.config.sessions
        hearing = Hearing(request.config.vad, sessions.half_duplex_start_guard_s)
        model = HalfDuplexCall(self._service.streaming_view, request)
        return OpenCall(slot, model, hearing), request

    # -- turns -----------------------------------------------------------------------------------

    async def _go_on(self, call: OpenCall, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "audio_chunk":
                await self._listen(call, message)
            case "playback":
                await self._cut_answer(call, message)
            case _:
                raise self._refusal(message)

    async def _listen(self, call: OpenCall, message: dict[str, Any]) -> None:
        """Hear a piece of sound; where it ends what the caller says, answer."""
        hearing = call.hearing
        edges = await asyncio.to_thread(_hear, hearing, message)
        if edges or hearing.is_speaking:
            self._clock.note_activity()
        for is_speaking in edges:
            await self._send(VadStateMessage(speaking=is_speaking))
        utterances = hearing.take_utterances()
        if not utterances:
            return
        if hearing.is_speaking:
            await self._send(VadStateMessage(speaking=False))
        try:
            await self._answer(call, utterances)
        finally:
            hearing.begin_turn()
            self._clock.note_activity(call.model.conversation.spoken.duration_s)
        playback, self._playback = self._playback, None
        if playback is not None and not self._phase.has_ended:
            await self._cut_answer(call, playback)

    async def _answer(self, call: OpenCall, utterances: Sequence[np.ndarray]) -> None:
        """One turn, from `generating` to `turn_done`."""
        n_samples = sum(len(utterance) for utterance in utterances)
        speech_ms = n_samples * 1000 // MODEL_SAMPLE_RATE
        await self._send(GeneratingMessage(speech_duration_ms=speech_ms))
        conversation = call.model.conversation
        turn = StreamingTurn(conversation.audio_epoch, "half_duplex")
        conversation.spoken = turn.spoken
        self._playback = None
        self._phase.move_to(Phase.ANSWERING)
        self._recorded.hear(utterances)
        self._recorded.begin_turn()
        try:
            async with self._heeding(call.slot.start(lambda: call.model.turn(utterances))) as run:
                async for first in run:
                    chunk = turn.chunk([first, *run.waiting()])
                    if chunk is not None:
                        self._recorded.add(chunk)
                        await self._send(chunk)
        finally:
            conversation.audio_epoch += turn.is_interrupted
            if self._phase.is_answering:
                self._phase.move_to(Phase.LISTENING)
        await self._send(turn.final_chunk())
        await self._send_turn_done(turn, speech_ms)

    async def _send_turn_done(self, turn: StreamingTurn, speech_ms: int) -> None:
        self._n_turns += 1
        sums = turn.done(None, None)
        done = TurnDoneMessage(
            turn_index=self._n_turns,
            text=sums.full_text,
            stopped=sums.stopped,
            audio_epoch=sums.audio_epoch,
        )
        timing = {"elapsed_ms": sums.elapsed_ms, "speech_input_ms": speech_ms}
        self._recorded.end_turn(timing, done.text)
        if warning := self._recorded.warning():
            done.warning = warning
        if sums.interrupted:
            done.interrupted = True
        logger.info(
            event(
                "turn_done",
                session_id=self.session_id,
                turn=self._n_turns,
                stopped=sums.stopped,
                elapsed_ms=sums.elapsed_ms,
                generated_tokens=sums.token_stats["generated_tokens"],
            )
        )
        await self._send(done)

    async def _cut_answer(self, call: OpenCall, message: dict[str, Any]) -> None:
        """The caller heard only a part of the last answer: the conversation goes on from there."""
        playback = validate(PlaybackMessage, message)
        epoch, played_ms = playback.audio_epoch, playback.played_ms
        conversation = call.model.conversation
        text = await self._service.inference.call(lambda: conversation.cut_answer(epoch, played_ms))
        if text is not None:
            self._clock.note_activity()
            self._recorded.cut_turn(text, played_ms)
            await self._send(TruncatedMessage(audio_epoch=epoch, text=text))

    @asynccontextmanager
    async def _heeding(self, run: Run) -> AsyncIterator[Run]:
        """In the block, `stop` ends the run and the call, and sound is dropped."""
        self._run = run
        async with beside(self._heed(run)):
            try:
                yield run
            finally:
                self._run = None

    async def _heed(self, run: Run) -> None:
        while True:
            message = await self._inbox.get()
            match message.get("type"):
                case _ if self._phase.has_ended:
                    continue
                case "stop":
                    self._end(HalfDuplexStoppedMessage(session_id=self.session_id))
                    run.cancel()
                case "audio_chunk" if self._phase.is_answering:
                    continue
                case "playback" if self._phase.is_answering:
                    self._playback = message  # told once it is known how the turn ended
                case _:
                    await self._websocket.send_json(socket_message(self._refusal(message)))

    # -- messages --------------------------------------------------------------------------------

    def _refusal(self, message: dict[str, Any]) -> RequestError:
        """What to say to a message that does not fit the phase of the call."""
        match message.get("type"):
            case "audio_chunk" | "playback":
                return RequestError("Not prepared yet", field="type")
            case "prepare":
                return RequestError("prepare has come already", field="type")
            case unknown:
                return unknown_type(unknown)

    @asynccontextmanager
    async def _telling_errors(self) -> AsyncIterator[None]:
        """In the block, what goes wrong is told; only some of it ends the call."""
        try:
            yield
        except ServiceError as error:
            if error.ends_session:
                raise
            await self._websocket.send_json(socket_message(error))

    async def _send(self, message: ServerMessage) -> None:
        await self._websocket.send_json(message.to_wire())


def _hear(hearing: Hearing, message: dict[str, Any]) -> list[bool]:
    """Decode a piece of sound and listen to it."""
    encoded = validate(HalfDuplexAudioMessage, message).audio_base64
    if not encoded:
        return []
    return hearing.hear(decode_audio(encoded, "audio_base64", LONGEST_CHUNK_S))
