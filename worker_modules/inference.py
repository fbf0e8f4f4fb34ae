"""The one thread that runs the model, and the runs that coroutines follow on it.

A run is a generator: each `next()` is one bounded piece of model work that ends in an event. Runs
that must be done by a certain time go first, the most urgent one ahead; in the time they leave,
the thread takes one step of every other run in turn. So a live call keeps up while several
sessions share the rest fairly, and a run can be cancelled between any two of its steps.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator
from math import inf
from typing import Any, Generic, TypeVar

Event = TypeVar("Event")
Result = TypeVar("Result")
Steps = Callable[[], Generator[Event, None, None]]


class Run(Generic[Event]):
    """The events of one generator, as an async iterator on the event loop.

    `finished` resolves once the thread has let go of the generator, whatever the reason.

    Args:
        deadline_s: the time on the loop's clock by which it should be done; None for no hurry.
    """

    def __init__(
        self,
        steps: Steps[Event],
        loop: asyncio.AbstractEventLoop,
        deadline_s: float | None = None,
    ) -> None:
        self.finished: asyncio.Future[None] = loop.create_future()
        self.cancelled = False
        self.deadline_s = deadline_s
        self._steps = steps
        self._generator: Generator[Event, None, None] | None = None
        self._loop = loop
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._error: BaseException | None = None

    def cancel(self) -> None:
        """End the run before its next step; `finished` tells when that has happened."""
        self.cancelled = True

    def __aiter__(self) -> Run[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self.finished.done():
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()

    def waiting(self) -> list[Event]:
        """Take the events that have already arrived, without waiting for more."""
        events = list(self._events)
        self._events.clear()
        return events

    def step(self) -> bool:
        """In the inference thread: one piece of work; False when there is no more."""
        try:
            if self._generator is None:
                self._generator = self._steps()
            if self.cancelled:
                self._generator.close()
                self._post(self._finish, None)
                return False
            event = next(self._generator)
        except StopIteration:
            self._post(self._finish, None)
            return False
        except Exception as error:  # raised again where the run is followed
            self._post(self._finish, error)
            return False
        self._post(self._deliver, event)
        return True

    def _post(self, method: Callable[[Any], None], argument: Any) -> None:
        """Call a method on the event loop; without a loop nobody follows, and the run ends."""
        try:
            self._loop.call_soon_threadsafe(method, argument)
        except RuntimeError:
            self.cancel()

    def _deliver(self, event: Event) -> None:
        self._events.append(event)
        self._news.set()

    def _finish(self, error: BaseException | None) -> None:
        self._error = error
        if not self.finished.done():
            self.finished.set_result(None)
        self._news.set()


class InferenceThread:
    """Owns the device: nothing else in the process may run the model."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._live: deque[Run] = deque()  # the one whose turn is longest ago comes first
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, steps: Steps[Event], deadline_s: float | None = None) -> Run[Event]:
        """Start a run; `steps` makes its generator and is itself called in the thread."""
        run = Run(steps, asyncio.get_running_loop(), deadline_s)
        self._inbox.put(run)
        return run

    async def call(self, function: Callable[[], Result]) -> Result:
        """Run one function in the thread and return its result."""

        def steps() -> Generator[Result, None, None]:
            yield function()

        async for result in self.submit(steps):
            return result
        raise asyncio.CancelledError

    def close(self) -> None:
        """Cancel every run and end the thread after the step it is in."""
        self._inbox.put(None)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(timeout_s)

    def _work(self) -> None:
        is_open = True
        while is_open or self._live:
            if is_open and (not self._live or not self._inbox.empty()):
                is_open = self._admit(self._inbox.get())
                continue
            run = min(self._live, key=_urgency)  # among equals the first
            self._live.remove(run)
            if run.step():
                self._live.append(run)

    def _admit(self, run: Run | None) -> bool:
        """Take in a new run; None is the mark that the thread is closing."""
        if run is not None:
            self._live.append(run)
            return True
        for live in self._live:
            live.cancel()
        return False


def _urgency(run: Run) -> float:
    """Least for what goes first: runs to be let go of, then by deadline."""
    if run.cancelled:
        return -inf
    return inf if run.deadline_s is None else run.deadline_s
