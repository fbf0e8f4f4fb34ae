"""Who holds the worker: slots with an explicit state machine, and a fair wait for a free one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from core.errors import NotReadyError, WorkerBusyError
from core.schemas import WorkerSession, WorkerStatus

_WORK = {
    WorkerStatus.BUSY_CHAT,
    WorkerStatus.BUSY_STREAMING,
    WorkerStatus.BUSY_HALF_DUPLEX,
    WorkerStatus.DUPLEX_ACTIVE,
}
TRANSITIONS: dict[WorkerStatus, set[WorkerStatus]] = {
    WorkerStatus.LOADING: {WorkerStatus.IDLE, WorkerStatus.ERROR},
    WorkerStatus.IDLE: _WORK | {WorkerStatus.ERROR},
    WorkerStatus.BUSY_CHAT: {WorkerStatus.IDLE, WorkerStatus.ERROR},
    WorkerStatus.BUSY_STREAMING: {WorkerStatus.IDLE, WorkerStatus.ERROR},
    WorkerStatus.BUSY_HALF_DUPLEX: {WorkerStatus.IDLE, WorkerStatus.ERROR},
    WorkerStatus.DUPLEX_ACTIVE: {
        WorkerStatus.DUPLEX_PAUSED,
        WorkerStatus.IDLE,
        WorkerStatus.ERROR,
    },
    WorkerStatus.DUPLEX_PAUSED: {
        WorkerStatus.DUPLEX_ACTIVE,
        WorkerStatus.IDLE,
        WorkerStatus.ERROR,
    },
    WorkerStatus.ERROR: set(),
}


@dataclass
class Slot:
    """Room for one session on the model."""

    status: WorkerStatus = WorkerStatus.LOADING
    session_id: str | None = None
    since_s: float = field(default_factory=time.monotonic)

    def move_to(self, status: WorkerStatus, session_id: str | None = None) -> None:
        """Change the state; a change that the table does not know is a bug."""
        self.switch_to(status)
        self.session_id = session_id
        self.since_s = time.monotonic()

    def switch_to(self, status: WorkerStatus) -> None:
        """Change the state in the middle of a session; see `move_to`."""
        assert status in TRANSITIONS[self.status], f"slot cannot go {self.status} -> {status}"
        self.status = status


@dataclass(eq=False)
class _Turn:
    """A session in line for a slot."""

    status: WorkerStatus
    session_id: str
    slot: asyncio.Future[Slot]


class WorkerState:
    """The slots of a worker and its counters. All methods belong to the event loop's thread."""

    def __init__(self, n_slots: int = 1) -> None:
        self.slots = [Slot() for _ in range(n_slots)]
        self.total_requests = 0
        self.total_inference_time_ms = 0.0
        self.duplex_pause_time: float | None = None
        self.last_activity = time.time()
        self._waiting: deque[_Turn] = deque()

    @property
    def status(self) -> WorkerStatus:
        """`idle` while a slot is free, else the state of the oldest session."""
        return WorkerStatus.IDLE if self._free() else self._oldest().status

    @property
    def current_session_id(self) -> str | None:
        """The oldest session."""
        return self._oldest().session_id

    @property
    def is_idle(self) -> bool:
        return self.status is WorkerStatus.IDLE

    @property
    def is_busy(self) -> bool:
        return bool(self.busy_slots) and not self.is_idle

    @property
    def model_loaded(self) -> bool:
        return self.status not in (WorkerStatus.LOADING, WorkerStatus.ERROR)

    @property
    def busy_slots(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.session_id is not None]

    @property
    def sessions(self) -> list[WorkerSession]:
        now_s = time.monotonic()
        return [
            WorkerSession(
                session_id=slot.session_id or "",
                status=slot.status,
                elapsed_s=round(now_s - slot.since_s, 3),
            )
            for slot in self.busy_slots
        ]

    @property
    def queue_depth(self) -> int:
        """Requests that wait for a slot."""
        return len(self._waiting)

    @property
    def avg_inference_time_ms(self) -> float:
        return self.total_inference_time_ms / max(1, self.total_requests)

    def become_ready(self, n_slots: int) -> None:
        """The model is loaded, with room for so many sessions."""
        self.slots = [Slot() for _ in range(n_slots)]
        for slot in self.slots:
            slot.move_to(WorkerStatus.IDLE)

    def fail(self) -> None:
        """The model cannot be loaded, or can do no more work."""
        for slot in self.slots:
            if slot.status is not WorkerStatus.ERROR:
                slot.move_to(WorkerStatus.ERROR)
        while self._waiting:
            self._waiting.popleft().slot.set_exception(not_ready(WorkerStatus.ERROR))

    def pause(self, slot: Slot) -> None:
        """The call on this slot is held by its client."""
        slot.switch_to(WorkerStatus.DUPLEX_PAUSED)
        self.duplex_pause_time = time.time()

    def resume(self, slot: Slot) -> None:
        """The call goes on."""
        slot.switch_to(WorkerStatus.DUPLEX_ACTIVE)
        self.duplex_pause_time = None

    async def acquire(self, status: WorkerStatus, session_id: str, wait_s: float) -> Slot:
        """Take a slot, first come first served.

        Raises:
            NotReadyError: no model is loaded.
            WorkerBusyError: none came free within `wait_s`.
        """
        if not self.model_loaded:
            raise not_ready(self.status)
        turn = _Turn(status, session_id, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._serve_waiting()
        try:
            await asyncio.wait({turn.slot}, timeout=wait_s)
        except asyncio.CancelledError:
            if turn.slot.done() and not turn.slot.exception():
                self._vacate(turn.slot.result())
            raise
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)
        if turn.slot.done():
            return turn.slot.result()
        raise WorkerBusyError(
            f"Worker busy after waiting {wait_s:g}s, status: {self.status.value}",
            retry_after_s=wait_s,
        )

    def release(self, slot: Slot) -> None:
        """Count a finished session and give its slot to the first in line."""
        self.total_requests += 1
        self.total_inference_time_ms += (time.monotonic() - slot.since_s) * 1000
        self.last_activity = time.time()
        self._vacate(slot)

    def _vacate(self, slot: Slot) -> None:
        if slot.status is not WorkerStatus.ERROR:
            slot.move_to(WorkerStatus.IDLE)
            self._serve_waiting()

    def _serve_waiting(self) -> None:
        """Free slots change hands here and nowhere else, without an await in between."""
        while self._waiting and (slot := self._free()) is not None:
            turn = self._waiting.popleft()
            slot.move_to(turn.status, turn.session_id)
            turn.slot.set_result(slot)

    def _free(self) -> Slot | None:
        return next((slot for slot in self.slots if slot.status is WorkerStatus.IDLE), None)

    def _oldest(self) -> Slot:
        return min(self.busy_slots or self.slots, key=lambda slot: slot.since_s)


def not_ready(status: WorkerStatus) -> NotReadyError:
    """Why nobody is served now."""
    if status is WorkerStatus.LOADING:
        return NotReadyError("Worker not ready: the model is still loading", retry_after_s=5)
    return NotReadyError("Worker not ready: the model failed; see the worker's log")
