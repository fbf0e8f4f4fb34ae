"""The answering side of a full-duplex call: chunk after chunk through the model."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from core.errors import RequestError, ServiceError, socket_message
from core.logs import event
from core.processors import CallTask, Decision, DuplexCall
from core.processors.duplex_result import generate_result
from core.schemas import (
    DuplexPreparedMessage,
    DuplexResultMessage,
    DuplexWindowInfo,
    ServerMessage,
)
from worker_modules import metrics
from worker_modules.duplex_backlog import Backlog, WaitingChunk
from worker_modules.duplex_limits import CallLimits
from worker_modules.duplex_phase import CallPhase, Phase
from worker_modules.duplex_speech import SentSpeech
from worker_modules.recorded_call import RecordedCall
from worker_modules.service import HeldSlot

logger = logging.getLogger(__name__)

UNIT_S = 1.0
TOKENS_PER_TILE = 64


@dataclass
class OngoingCall:
    """What the two sides of a call share.

    `send_json` sends a JSON object. With `force_next` the model listens to the next chunk,
    whatever the chunk says.
    """

    call: DuplexCall
    slot: HeldSlot
    limits: CallLimits
    send_json: Callable[[dict[str, object]], Awaitable[None]]
    phase: CallPhase = field(default_factory=CallPhase)
    backlog: Backlog = field(default_factory=Backlog)
    speech: SentSpeech = field(default_factory=SentSpeech)
    force_next: bool = False
    recorded: RecordedCall = field(default_factory=RecordedCall)

    def cut_speech(self) -> bool:
        """Begin a new epoch if any speech is unfinished; whether it is so."""
        epoch = self.speech.epoch
        if not self.speech.cut():
            return False
        self.recorded.cut(epoch)
        return True

    async def send(self, message: ServerMessage) -> None:
        await self.send_json(message.to_wire())

    async def tell(self, error: ServiceError) -> None:
        """Say what is wrong; the call goes on."""
        await self.send_json(socket_message(error))


class DuplexAnswers:
    """Takes from the backlog and answers, one at a time.

    Args:
        on_answer: called after each answer.
    """

    def __init__(self, ongoing: OngoingCall, on_answer: Callable[[], None]) -> None:
        self._ongoing = ongoing
        self._on_answer = on_answer
        self.n_results = 0
        self._units_so_far = 0

    async def run(self) -> None:
        """Until it is cancelled.

        Raises:
            ServiceError: nothing more can be answered.
        """
        while True:
            item = await self._ongoing.backlog.next()
            try:
                if isinstance(item, CallTask):
                    await self._prepare(item)
                else:
                    await self._answer(item)
            except ServiceError as error:
                if error.ends_session:
                    raise
                await self._ongoing.tell(error)
            self._on_answer()

    async def _prepare(self, task: CallTask) -> None:
        ongoing = self._ongoing
        try:
            run = ongoing.slot.start(lambda: ongoing.call.prepare(task))
            async for _ in run:
                continue
        except ServiceError:
            ongoing.phase.prepared(successfully=False)
            raise
        ongoing.phase.prepared(successfully=True)
        window = task.options.window
        prepared = DuplexPreparedMessage(
            prompt_length=len(task.prompt),
            window=DuplexWindowInfo(mode=window.mode, high=window.high, low=window.low),
        )
        if ongoing.recorded.session_id is not None:
            prepared.recording_session_id = ongoing.recorded.session_id
        if task.warning is not None:
            prepared.warning = task.warning
        await ongoing.send(prepared)

    async def _answer(self, chunk: WaitingChunk) -> None:
        ongoing = self._ongoing
        if chunk.error is not None:
            raise chunk.error
        if ongoing.phase.phase is Phase.WAITING:
            raise RequestError("audio_chunk must come after prepare", field="type")
        if chunk.task is None:
            late = Decision(
                units_so_far=self._units_so_far, kv_cache_length=ongoing.call.kv_cache_length
            )
            await self._send_result(late, chunk, ongoing.speech.epoch, is_forced=False)
            return
        task = replace(chunk.task, force_listen=chunk.task.force_listen or ongoing.force_next)
        ongoing.force_next = False
        epoch, is_answered = ongoing.speech.epoch, False
        deadline_s = chunk.arrived_s + UNIT_S
        try:
            async for decision in ongoing.slot.start(lambda: ongoing.call.hear(task), deadline_s):
                if decision is not None:
                    is_answered = True
                    await self._send_result(decision, chunk, epoch, is_forced=task.force_listen)
        except ServiceError as error:
            if error.ends_session:
                raise
            if not is_answered:
                ongoing.recorded.fail(chunk.recorded)
                raise
            logger.warning(event("unit_not_closed", reason=error.message))

    async def _send_result(
        self, decision: Decision, chunk: WaitingChunk, epoch: int, *, is_forced: bool
    ) -> None:
        """Send a decision that was begun in `epoch`; the speech it cuts off ends that epoch."""
        speech = self._ongoing.speech
        interrupted = (decision.interrupted or is_forced) and self._ongoing.cut_speech()
        if interrupted:
            epoch = speech.epoch
        if epoch == speech.epoch and decision.n_units:
            n_samples = 0 if decision.waveform is None else decision.waveform.size
            speech.send(n_samples, turn_is_open=not (decision.is_listen or decision.end_of_turn))
        result = DuplexResultMessage(
            **generate_result(decision).model_dump(),
            wall_clock_ms=round((time.monotonic() - chunk.arrived_s) * 1000, 1),
            kv_cache_length=decision.kv_cache_length,
            vision_slices=decision.n_slices,
            vision_tokens=decision.n_slices * TOKENS_PER_TILE,
            audio_epoch=epoch,
        )
        if interrupted:
            result.interrupted = True
        if not decision.n_units:
            result.skipped = True
            result.reason = "late" if chunk.task is None else "buffering"
        if decision.n_units:
            elapsed_s = time.monotonic() - chunk.arrived_s
            metrics.note_unit(elapsed_s, UNIT_S * decision.n_units)
            metrics.count_tokens("duplex", 0, decision.n_tokens)
        elif chunk.task is None:
            metrics.LATE_CHUNKS.inc()
        self._ongoing.recorded.answer(chunk.recorded, result, decision)
        result.warning = self._ongoing.recorded.warning()
        result.server_send_ts = time.time()
        self.n_results += 1
        self._units_so_far = decision.units_so_far
        await self._ongoing.send(result)
