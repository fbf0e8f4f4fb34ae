"""The inference thread: order, cancellation, errors and its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from math import inf

import pytest

from worker_modules.inference import InferenceThread, Run

JOIN_S = 5.0


@pytest.fixture
async def inference() -> AsyncIterator[InferenceThread]:
    thread = InferenceThread()
    thread.start()
    yield thread
    thread.close()
    await asyncio.to_thread(thread.join, JOIN_S)


class Steps:
    """A generator whose every step waits for a permit; notes its thread, steps and end."""

    def __init__(self, n_steps: int = 1000, permits: int = 0) -> None:
        self.n_steps = n_steps
        self.permits = threading.Semaphore(permits)
        self.n_done = 0
        self.closed = False
        self.thread_names: set[str] = set()

    def __call__(self) -> Generator[int, None, None]:
        try:
            for step in range(self.n_steps):
                self.permits.acquire()
                self.thread_names.add(threading.current_thread().name)
                self.n_done += 1
                yield step
        finally:
            self.closed = True


def failing() -> Generator[int, None, None]:
    yield 1
    raise ValueError("no more")


async def test_events_arrive_in_order_from_the_inference_thread(
    inference: InferenceThread,
) -> None:
    steps = Steps(n_steps=5, permits=5)
    assert [event async for event in inference.submit(steps)] == [0, 1, 2, 3, 4]
    assert steps.thread_names == {"lane"}


async def test_an_event_arrives_before_the_next_step_is_taken(inference: InferenceThread) -> None:
    steps = Steps(permits=1)
    run = inference.submit(steps)
    assert await anext(run) == 0
    assert (steps.n_done, run.finished.done()) == (1, False)
    run.cancel()
    steps.permits.release()


async def test_a_cancelled_run_takes_at_most_the_step_it_is_in(
    inference: InferenceThread,
) -> None:
    steps = Steps(permits=1)
    run = inference.submit(steps)
    await anext(run)
    run.cancel()
    steps.permits.release(100)
    await asyncio.wait_for(run.finished, JOIN_S)
    assert steps.n_done <= 2
    assert steps.closed


async def test_a_run_is_finished_only_when_the_thread_has_let_go(
    inference: InferenceThread,
) -> None:
    steps = Steps(permits=1)
    run = inference.submit(steps)
    await anext(run)
    run.cancel()
    assert not run.finished.done()  # the thread waits inside a step
    steps.permits.release()
    await asyncio.wait_for(run.finished, JOIN_S)


async def test_two_runs_take_turns(inference: InferenceThread) -> None:
    order: list[str] = []
    both_in = threading.Barrier(2)

    def steps(name: str) -> Generator[None, None, None]:
        for _ in range(3):
            order.append(name)
            yield

    def hold() -> Generator[None, None, None]:
        both_in.wait()
        yield

    held = inference.submit(hold)
    runs = [inference.submit(lambda: steps("a")), inference.submit(lambda: steps("b"))]
    await asyncio.to_thread(both_in.wait)
    for run in [held, *runs]:
        await asyncio.wait_for(run.finished, JOIN_S)
    assert order == ["a", "b", "a", "b", "a", "b"]


async def test_an_error_is_raised_where_the_run_is_followed(inference: InferenceThread) -> None:
    run = inference.submit(failing)
    assert await anext(run) == 1
    with pytest.raises(ValueError, match="no more"):
        await anext(run)


async def test_the_thread_survives_a_failed_run(inference: InferenceThread) -> None:
    await asyncio.wait_for(inference.submit(failing).finished, JOIN_S)
    assert await inference.call(lambda: 42) == 42


async def test_call_passes_errors_on(inference: InferenceThread) -> None:
    with pytest.raises(ZeroDivisionError):
        await inference.call(lambda: 1 // 0)


async def test_waiting_takes_what_has_arrived(inference: InferenceThread) -> None:
    run = inference.submit(Steps(n_steps=4, permits=4))
    await asyncio.wait_for(run.finished, JOIN_S)
    assert [await anext(run), *run.waiting()] == [0, 1, 2, 3]
    assert run.waiting() == []


async def test_closing_ends_live_runs_and_the_thread() -> None:
    thread = InferenceThread()
    thread.start()
    steps = Steps(permits=1)
    run = thread.submit(steps)
    await anext(run)
    thread.close()
    steps.permits.release(100)
    await asyncio.wait_for(run.finished, JOIN_S)
    await asyncio.to_thread(thread.join, JOIN_S)
    assert (steps.closed, thread.is_alive) == (True, False)


# -- deadlines -------------------------------------------------------------------------------------


class Order:
    """Runs that note when they are stepped; none begins before `start`, so all are in line."""

    def __init__(self, inference: InferenceThread) -> None:
        self.steps: list[str] = []
        self._inference = inference
        self._may_start = threading.Event()
        self._runs = [inference.submit(self._hold, -inf)]

    def _hold(self) -> Generator[None, None, None]:
        self._may_start.wait(JOIN_S)
        yield

    def add(self, name: str, n_steps: int = 2, deadline_s: float | None = None) -> Run[None]:
        def steps() -> Generator[None, None, None]:
            for _ in range(n_steps):
                self.steps.append(name)
                yield

        self._runs.append(self._inference.submit(steps, deadline_s))
        return self._runs[-1]

    async def run(self) -> list[str]:
        self._may_start.set()
        for run in self._runs:
            await asyncio.wait_for(run.finished, JOIN_S)
        return self.steps


async def test_the_most_urgent_run_goes_first(inference: InferenceThread) -> None:
    order = Order(inference)
    order.add("late", deadline_s=30.0)
    order.add("no hurry")
    order.add("soon", deadline_s=10.0)
    assert await order.run() == ["soon", "soon", "late", "late", "no hurry", "no hurry"]


async def test_runs_in_no_hurry_still_take_turns_behind_urgent_ones(
    inference: InferenceThread,
) -> None:
    order = Order(inference)
    order.add("a")
    order.add("b")
    order.add("call", deadline_s=1.0)
    assert await order.run() == ["call", "call", "a", "b", "a", "b"]


async def test_an_urgent_run_that_comes_later_goes_before_the_next_step_of_others(
    inference: InferenceThread,
) -> None:
    slow = Steps(n_steps=3, permits=1)
    run = inference.submit(slow)
    await anext(run)
    done_before: list[int] = []

    def urgent() -> Generator[None, None, None]:
        done_before.append(slow.n_done)
        yield

    call = inference.submit(urgent, deadline_s=1.0)
    slow.permits.release(10)
    await asyncio.wait_for(call.finished, JOIN_S)
    assert done_before[0] <= 2  # it was in its second step
    await asyncio.wait_for(run.finished, JOIN_S)


async def test_a_cancelled_run_is_let_go_of_before_urgent_work(inference: InferenceThread) -> None:
    order = Order(inference)
    order.add("call", deadline_s=1.0)
    gone = order.add("gone", n_steps=100)
    gone.cancel()
    assert await order.run() == ["call", "call"]
