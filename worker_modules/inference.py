"""The one thread that runs the model, and the runs that coroutines follow on it.

A run is a generator in a lane of its own: it moves from event to event, and waits where it needs
the model. Runs that must be done by a certain time go first, the most urgent one ahead; in the time
they leave, every other run has its turn. When the run that is first waits for the model, all others
go on to where they wait, and those that want the same share one forward with it. So a live call
keeps up, several sessions cost little more than one, and a run can be cancelled wherever it stops.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from MiniCPMO45.batching import Lane, Lanes

Event = TypeVar("Event")
Result = TypeVar("Result")
Steps = Callable[[], Generator[Event, None, None]]


class Run(Lane[Event]):
    """The events of one generator, as an async iterator on the event loop.

    `finished` resolves once the thread has let go of the generator, whatever the reason;
    `cancel()` brings that about.

    Args:
        deadline_s: the time on the loop's clock by which it should be done; None for no hurry.
        on_failure: told of the error that ended it, before anybody who follows it is.
    """

    def __init__(
        self,
        steps: Steps[Event],
        loop: asyncio.AbstractEventLoop,
        deadline_s: float | None = None,
        on_failure: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        super().__init__(steps, deadline_s)
        self._on_failure = on_failure
        self.finished: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._failure: BaseException | None = None

    def __aiter__(self) -> Run[Event]:
        return self

    async def __anext__(self) -> Event:
        while not self._events:
            if self.finished.done():
                if self._failure is not None:
                    raise self._failure
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()

    def waiting(self) -> list[Event]:
        """Take the events that have already arrived, without waiting for more."""
        events = list(self._events)
        self._events.clear()
        return events

    def deliver(self, event: Event) -> None:
        self._post(self._take, event)

    def finish(self, error: BaseException | None) -> None:
        self._post(self._end, error)

    def _post(self, method: Callable[[Any], None], argument: Any) -> None:
        """Call a method on the event loop; without a loop nobody follows, and the run ends."""
        try:
            self._loop.call_soon_threadsafe(method, argument)
        except RuntimeError:
            self.cancel()

    def _take(self, event: Event) -> None:
        self._events.append(event)
        self._news.set()

    def _end(self, error: BaseException | None) -> None:
        self._failure = error
        if error is not None:
            self._on_failure(error)
        if not self.finished.done():
            self.finished.set_result(None)
        self._news.set()


class InferenceThread:
    """Owns the device: nothing else in the process may run the model.

    Args:
        on_failure: told on the event loop of every error that ended a run.
    """

    def __init__(self, on_failure: Callable[[BaseException], None] = lambda error: None) -> None:
        self._on_failure = on_failure
        self._inbox: queue.SimpleQueue[Run | None] = queue.SimpleQueue()
        self._lanes = Lanes()
        self._thread = threading.Thread(target=self._work, name="inference", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, steps: Steps[Event], deadline_s: float | None = None) -> Run[Event]:
        """Start a run; `steps` makes its generator and is itself called in the thread."""
        run = Run(steps, asyncio.get_running_loop(), deadline_s, self._on_failure)
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
        while is_open or self._lanes:
            if is_open and (not self._lanes or not self._inbox.empty()):
                is_open = self._admit(self._inbox.get())
            else:
                self._lanes.turn()

    def _admit(self, run: Run | None) -> bool:
        """Take in a new run; None is the mark that the thread is closing."""
        if run is None:
            self._lanes.cancel_all()
            return False
        self._lanes.add(run)
        return True
