"""The running worker: model, inference thread and settings, as the endpoints use them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from config import ServiceConfig
from core.errors import DeviceLostError
from core.logs import event
from core.processors import ChatView
from core.schemas import WorkerStatus
from MiniCPMO45 import ModelError
from worker_modules.inference import Event, InferenceThread, Run, Steps
from worker_modules.model_worker import MiniCPMOWorker
from worker_modules.state import not_ready

logger = logging.getLogger(__name__)

JOIN_TIMEOUT_S = 5.0


class WorkerService:
    """Ties the worker's state to its inference thread."""

    def __init__(self, worker: MiniCPMOWorker, config: ServiceConfig) -> None:
        self.worker = worker
        self.config = config
        self.inference = InferenceThread()

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
            self.worker.state.become_ready()
            logger.info(event("ready", load_s=time.monotonic() - started_s))

    @property
    def chat_view(self) -> ChatView:
        """The way to chat.

        Raises:
            NotReadyError: no model is loaded.
        """
        if not self.worker.state.model_loaded:
            raise not_ready(self.worker.state.status)
        return self.worker.chat_view

    @asynccontextmanager
    async def slot(self, status: WorkerStatus, session_id: str) -> AsyncIterator[HeldSlot]:
        """Hold a slot for one session; it comes free once the thread is done with the session.

        Raises:
            NotReadyError, WorkerBusyError: there is none.
        """
        state = self.worker.state
        wait_s = self.config.sessions.worker_idle_wait_s
        slot = await state.acquire(status, session_id, wait_s)
        held = HeldSlot(self.inference)
        try:
            yield held
        except DeviceLostError as error:
            self.worker.load_message = error.message
            state.fail()
            raise
        finally:
            held.when_done(lambda: state.release(slot))

    async def close(self) -> None:
        """End all runs and the thread; a step that hangs is left behind."""
        self.inference.close()
        await asyncio.to_thread(self.inference.join, JOIN_TIMEOUT_S)


def new_session_id(prefix: str) -> str:
    """An id nobody can guess."""
    return f"{prefix}_{secrets.token_hex(8)}"


class HeldSlot:
    """A slot of the worker while a session has it."""

    def __init__(self, inference: InferenceThread) -> None:
        self._inference = inference
        self.run: Run | None = None

    def start(self, steps: Steps[Event]) -> Run[Event]:
        """Begin the session's work in the inference thread."""
        run = self._inference.submit(steps)
        self.run = run
        return run

    def when_done(self, release: Callable[[], None]) -> None:
        """Call `release` as soon as the thread has let go of the run, which ends early if live."""
        if self.run is None or self.run.finished.done():
            release()
        else:
            self.run.cancel()
            self.run.finished.add_done_callback(lambda _: release())


def _load_failure(error: Exception) -> str:
    """What went wrong, without a trace; errors of other libraries are named by their kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ModelError) else f"{type(error).__name__}: {text}"
