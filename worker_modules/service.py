"""The running worker: model, inference thread and settings, as the endpoints use them."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Protocol

from config import ServiceConfig
from core.errors import DeviceLostError
from core.logs import event
from core.processors import ChatView, Conversation, DuplexView, StreamingView
from core.schemas import WorkerStatus
from MiniCPMO45 import ModelError
from MiniCPMO45.device_errors import is_device_lost, is_out_of_memory
from worker_modules import metrics
from worker_modules.conversations import KeptConversations
from worker_modules.inference import Event, InferenceThread, Run, Steps
from worker_modules.model_worker import MiniCPMOWorker
from worker_modules.recordings import Recordings
from worker_modules.state import Slot, not_ready

logger = logging.getLogger(__name__)

JOIN_TIMEOUT_S = 5.0
MAX_SESSION_ID_CHARACTERS = 128
NO_MEMORY = (
    "the model does not fit the free memory of the device; end other programs that use it, set "
    "model.quantization, or take a larger device"
)


class Stoppable(Protocol):
    """Something whose model work can be ended from outside."""

    session_id: str

    def stop(self) -> bool:
        """End the work; False when there is none."""
        ...


class Closable(Protocol):
    """Something that holds a place in the model's cache."""

    def close(self) -> None:
        """Give the place back; only in the inference thread."""
        ...


class WorkerService:
    """Ties the worker's state to its inference thread.

    A place in the model's cache belongs to a busy slot or to a kept conversation; together they
    are never more than the slots.

    Args:
        on_device_lost: called when the device failed, which only a new process can mend.
        on_ready: called when the model is loaded and warm, before anybody is served.
    """

    def __init__(
        self,
        worker: MiniCPMOWorker,
        config: ServiceConfig,
        on_device_lost: Callable[[], None] | None = None,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        self.worker = worker
        self._on_device_lost = on_device_lost
        self._on_ready = on_ready
        self.config = config
        self.inference = InferenceThread(self._heed_failure)
        self.streaming_sockets: set[Stoppable] = set()
        self.half_duplex_sockets: set[Stoppable] = set()
        self.recordings = Recordings(config, worker.gpu_id)
        self._kept = KeptConversations()

    async def load(self) -> None:
        """Load the model in the inference thread; the worker is then ready, or in error."""
        started_s = time.monotonic()
        try:
            await self.inference.call(self.worker.load_model)
        except Exception as error:
            self.worker.load_message = _load_failure(error)
            self.worker.state.fail()
            logger.error(
                event("load_failed", reason=self.worker.load_message),
                exc_info=None if isinstance(error, ModelError) else error,
            )
        else:
            if self._on_ready is not None:
                self._on_ready()
            self.worker.state.become_ready(self.worker.n_slots)
            logger.info(event("ready", load_s=time.monotonic() - started_s))
            self.recordings.make_left_over_replays()

    @property
    def chat_view(self) -> ChatView:
        """The way to chat.

        Raises:
            NotReadyError: no model is loaded.
        """
        if not self.worker.state.model_loaded:
            raise not_ready(self.worker.state.status)
        return self.worker.chat_view

    @property
    def streaming_view(self) -> StreamingView:
        """The way to stream.

        Raises:
            NotReadyError: no model is loaded.
        """
        if not self.worker.state.model_loaded:
            raise not_ready(self.worker.state.status)
        return self.worker.streaming_view

    @property
    def duplex_view(self) -> DuplexView:
        """The way to call in full duplex.

        Raises:
            NotReadyError: no model is loaded.
        """
        if not self.worker.state.model_loaded:
            raise not_ready(self.worker.state.status)
        return self.worker.duplex_view

    @asynccontextmanager
    async def slot(
        self, status: WorkerStatus, session_id: str, conversation_key: str | None = None
    ) -> AsyncIterator[HeldSlot]:
        """Hold a slot for one session; it comes free once the thread is done with the session.

        Args:
            conversation_key: a kept conversation to go on with, if it is still there.

        Raises:
            NotReadyError, WorkerBusyError: there is none.
        """
        state = self.worker.state
        wait_s = self.config.sessions.worker_idle_wait_s
        slot = await state.acquire(status, session_id, wait_s)
        held = HeldSlot(self.inference, slot)
        if conversation_key is not None:
            held.conversation = self._kept.take(conversation_key)
        self._make_room()
        try:
            yield held
        finally:
            held.cancel()
            if held.conversation is not None:
                self.discard(held.conversation)
            held.when_done(lambda: self._release(slot, metrics.MODES[status]))

    @property
    def n_kept_conversations(self) -> int:
        """Conversations that wait for their next turn."""
        return len(self._kept)

    def keep(self, key: str, held: HeldSlot) -> None:
        """Keep the conversation of a slot that is about to come free, until its place is needed."""
        assert held.conversation is not None, "the slot has no conversation"
        displaced = self._kept.keep(key, held.conversation)
        held.conversation = None
        if displaced is not None:
            self.discard(displaced)

    async def cut_answer(self, key: str, audio_epoch: int, played_ms: float) -> str | None:
        """Cut the last answer of a kept conversation to what was heard; its text then.

        None when the conversation is not kept, or has other sound than that.
        """
        conversation = self._kept.get(key)
        if conversation is None:
            return None
        return await self.inference.call(lambda: conversation.cut_answer(audio_epoch, played_ms))

    def rename(self, key: str, new_key: str) -> None:
        """Keep a conversation under another key, if it is still there."""
        conversation = self._kept.take(key)
        if conversation is None:
            return
        displaced = self._kept.keep(new_key, conversation)
        if displaced is not None:
            self.discard(displaced)

    def forget(self, key: str) -> None:
        """Do not keep this conversation any longer."""
        conversation = self._kept.take(key)
        if conversation is not None:
            self.discard(conversation)

    def forget_all(self) -> None:
        """Keep no conversation any longer."""
        while len(self._kept):
            self.discard(self._kept.take_oldest())

    def discard(self, conversation: Closable) -> None:
        """Close a conversation in the thread, after the work already given to it."""
        self.inference.submit(lambda: _closing(conversation))

    def _heed_failure(self, error: BaseException) -> None:
        """Whatever work it was that failed: without the device this process can do no more."""
        if not (isinstance(error, DeviceLostError) or is_device_lost(error)):
            return
        if self.worker.state.status is not WorkerStatus.ERROR:
            logger.critical(event("device_lost", reason=str(error).partition("\n")[0]))
        self.worker.load_message = "the device failed; the worker starts again"
        self.worker.state.fail()
        if self._on_device_lost is not None:
            self._on_device_lost()

    def _release(self, slot: Slot, mode: str) -> None:
        metrics.SESSION_S.labels(mode).observe(time.monotonic() - slot.since_s)
        self.worker.state.release(slot)

    def _make_room(self) -> None:
        """Give up the conversations used longest ago whose places the busy slots need."""
        state = self.worker.state
        while len(self._kept) and len(self._kept) + len(state.busy_slots) > len(state.slots):
            self.discard(self._kept.take_oldest())

    async def close(self) -> None:
        """End all runs and the thread; a step that hangs is left behind."""
        self.inference.close()
        await asyncio.to_thread(self.inference.join, JOIN_TIMEOUT_S)
        await asyncio.to_thread(self.recordings.close, JOIN_TIMEOUT_S)


def new_session_id(prefix: str) -> str:
    """An id nobody can guess."""
    return f"{prefix}_{secrets.token_hex(8)}"


def clean_session_id(given: str, prefix: str) -> str:
    """The id that a peer gave, harmless in logs and file names; a new one if it gave none."""
    cleaned = re.sub(r"[^A-Za-z0-9_-]", "_", given)[:MAX_SESSION_ID_CHARACTERS]
    return cleaned or new_session_id(prefix)


def _closing(conversation: Closable) -> Generator[None, None, None]:
    yield conversation.close()


class HeldSlot:
    """A slot of the worker while a session has it.

    A streaming session puts its conversation here; if it is still here in the end, it is closed.
    """

    def __init__(self, inference: InferenceThread, slot: Slot) -> None:
        self._inference = inference
        self.slot = slot
        self.run: Run | None = None
        self.conversation: Conversation | None = None

    def start(self, steps: Steps[Event], deadline_s: float | None = None) -> Run[Event]:
        """Begin the session's work in the inference thread; see `Run` for its deadline."""
        run = self._inference.submit(steps, deadline_s)
        self.run = run
        return run

    def cancel(self) -> None:
        """End the session's work before its next step."""
        if self.run is not None:
            self.run.cancel()

    def when_done(self, release: Callable[[], None]) -> None:
        """Call `release` as soon as the thread has let go of the run."""
        if self.run is None or self.run.finished.done():
            release()
        else:
            self.run.finished.add_done_callback(lambda _: release())


def _load_failure(error: Exception) -> str:
    """What went wrong, without a trace; errors of other libraries are named by their kind."""
    if is_out_of_memory(error):
        return NO_MEMORY
    text = " ".join(str(error).split())
    return text if isinstance(error, ModelError) else f"{type(error).__name__}: {text}"
