"""Slots: who gets one, when it comes free, and what the worker reports meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from core.errors import NotReadyError, WorkerBusyError
from core.schemas import WorkerStatus
from worker_modules.state import TRANSITIONS, Slot, WorkerState

CHAT = WorkerStatus.BUSY_CHAT
SOON_S = 5.0
AT_ONCE_S = 0.0


def ready_state(n_slots: int = 1) -> WorkerState:
    state = WorkerState(n_slots)
    state.become_ready(n_slots)
    return state


async def in_line(state: WorkerState, session_id: str) -> asyncio.Task[Slot]:
    """A task that waits for a slot, already in line."""
    waiting = asyncio.create_task(state.acquire(CHAT, session_id, SOON_S))
    await asyncio.sleep(0)
    return waiting


def test_every_status_has_its_row_in_the_table() -> None:
    assert TRANSITIONS.keys() == set(WorkerStatus)


@pytest.mark.parametrize("before", list(WorkerStatus))
@pytest.mark.parametrize("after", list(WorkerStatus))
def test_only_listed_transitions_happen(before: WorkerStatus, after: WorkerStatus) -> None:
    slot = Slot(before)
    if after in TRANSITIONS[before]:
        slot.move_to(after)
        assert slot.status is after
    else:
        with pytest.raises(AssertionError, match="slot cannot go"):
            slot.move_to(after)


def test_a_worker_starts_loading_and_becomes_idle() -> None:
    state = WorkerState()
    assert (state.status, state.model_loaded) == (WorkerStatus.LOADING, False)
    state.become_ready(1)
    assert (state.is_idle, state.model_loaded) == (True, True)


async def test_nobody_is_served_before_the_model_is_loaded() -> None:
    with pytest.raises(NotReadyError, match="loading"):
        await WorkerState().acquire(CHAT, "a", SOON_S)


async def test_a_held_slot_makes_the_worker_busy() -> None:
    state = ready_state()
    slot = await state.acquire(CHAT, "a", SOON_S)
    assert (state.status, state.current_session_id, state.is_busy) == (CHAT, "a", True)
    assert [session.session_id for session in state.sessions] == ["a"]
    state.release(slot)
    assert (state.is_idle, state.current_session_id, state.total_requests) == (True, None, 1)


async def test_a_busy_worker_refuses_after_the_wait() -> None:
    state = ready_state()
    await state.acquire(CHAT, "a", SOON_S)
    with pytest.raises(WorkerBusyError, match="status: busy_chat"):
        await state.acquire(CHAT, "b", AT_ONCE_S)
    assert state.queue_depth == 0


async def test_a_released_slot_goes_to_the_first_in_line() -> None:
    state = ready_state()
    slot = await state.acquire(CHAT, "a", SOON_S)
    second, third = await in_line(state, "b"), await in_line(state, "c")
    assert state.queue_depth == 2
    state.release(slot)
    assert await second is slot
    assert (state.current_session_id, third.done()) == ("b", False)
    state.release(slot)
    assert await third is slot


async def test_a_newcomer_does_not_overtake_the_line() -> None:
    state = ready_state()
    slot = await state.acquire(CHAT, "a", SOON_S)
    first = await in_line(state, "b")
    state.release(slot)
    with pytest.raises(WorkerBusyError):
        await state.acquire(CHAT, "newcomer", AT_ONCE_S)
    assert await first is slot


async def test_a_waiter_that_gives_up_leaves_the_line() -> None:
    state = ready_state()
    slot = await state.acquire(CHAT, "a", SOON_S)
    leaving = await in_line(state, "b")
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    state.release(slot)
    assert (state.is_idle, state.queue_depth) == (True, 0)


async def test_a_slot_handed_to_a_waiter_that_just_left_goes_on_to_the_next() -> None:
    state = ready_state()
    slot = await state.acquire(CHAT, "a", SOON_S)
    leaving, staying = await in_line(state, "b"), await in_line(state, "c")
    state.release(slot)
    leaving.cancel()
    assert await staying is slot
    assert state.current_session_id == "c"


async def test_with_two_slots_the_worker_stays_idle_while_one_is_free() -> None:
    state = ready_state(n_slots=2)
    first = await state.acquire(CHAT, "a", SOON_S)
    assert (state.is_idle, state.current_session_id) == (True, "a")
    await state.acquire(CHAT, "b", SOON_S)
    assert (state.status, state.current_session_id) == (CHAT, "a")
    state.release(first)
    assert (state.is_idle, state.current_session_id) == (True, "b")


async def test_a_failed_worker_turns_everybody_away_for_good() -> None:
    state = ready_state()
    slot = await state.acquire(CHAT, "a", SOON_S)
    waiting = await in_line(state, "b")
    state.fail()
    with pytest.raises(NotReadyError, match="failed"):
        await waiting
    state.release(slot)
    assert state.status is WorkerStatus.ERROR
