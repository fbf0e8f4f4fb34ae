"""Work of several conversations done together: one forward for all that want the same.

A conversation is written as if it were alone. Where it needs the model it calls :func:`together`;
what it calls there takes a list, and outside a lane it simply gets a list of one. In a
:class:`Lane` the conversation waits at that point, and :class:`Lanes` calls the function once for
all that wait for it. Work that cannot be shared goes through :func:`in_turn`, so that only light
work is done between two stops. Lanes are threads of which only one moves at a time: coroutines with
an ordinary call stack, not parallel work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import inf
from queue import SimpleQueue
from typing import Any, ClassVar, Generic, TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")
Event = TypeVar("Event")

_local = threading.local()


def together(function: Callable[[Sequence[Item]], Sequence[Result]], item: Item) -> Result:
    """The result of ``function`` for ``item``, computed along with the items of other lanes.

    Functions that are equal are called once for all. Should that fail, it is called again for each
    item alone, so it must leave everything as it was when it raises.
    """
    lane: Lane | None = getattr(_local, "lane", None)
    if lane is None:
        with torch.inference_mode():
            return function([item])[0]
    return lane.ask(Request(function, item))


def in_turn(work: Callable[[], Result]) -> Result:
    """The result of ``work``, which is done when no conversation has more urgent work."""
    return together(lambda _: [work()], None)


@dataclass
class Request:
    """A call that waits to be made together with others, and then what became of it."""

    function: Callable[[Sequence[Any]], Sequence[Any]]
    item: Any
    result: Any = None
    error: Exception | None = None


def serve(requests: Sequence[Request]) -> None:
    """Make one call for requests of the same function."""
    function = requests[0].function
    try:
        with torch.inference_mode():
            results = function([request.item for request in requests])
    except Exception as error:
        if len(requests) == 1:
            requests[0].error = error
            return
        for request in requests:
            serve([request])
        return
    for request, result in zip(requests, results, strict=True):
        request.result = result


class _LaneClosed(BaseException):
    """Unwinds a conversation whose lane is closed."""


class _Carrier(threading.Thread):
    """A thread that carries one lane after another; between them it is idle."""

    idle: ClassVar[list[_Carrier]] = []

    def __init__(self) -> None:
        super().__init__(name="lane", daemon=True)
        self._lanes: SimpleQueue[Lane] = SimpleQueue()
        self.start()

    @classmethod
    def carry(cls, lane: Lane) -> None:
        carrier = cls.idle.pop() if cls.idle else cls()
        carrier._lanes.put(lane)

    def run(self) -> None:
        while True:
            lane = self._lanes.get()
            _local.lane = lane
            lane._work()
            _local.lane = None
            self.idle.append(self)
            lane._rests.release()
            del lane


class Lane(Generic[Event]):
    """A generator that runs in a thread of its own, whenever it is told to move.

    Subclasses say what becomes of its events and its end.

    Args:
        steps: makes the generator; called in the lane.
        deadline_s: by when it should be done, on any one clock; None for no hurry.
    """

    def __init__(
        self, steps: Callable[[], Generator[Event, None, None]], deadline_s: float | None = None
    ) -> None:
        self.deadline_s = deadline_s
        self.cancelled = False
        self.request: Request | None = None
        """What it waits for, if it stopped in :func:`together`."""
        self.is_over = False
        self._steps = steps
        self._event: list[Event] = []
        self._error: BaseException | None = None
        self._closed = False
        self._has_begun = False
        self._may_move, self._rests = threading.Lock(), threading.Lock()
        self._may_move.acquire()
        self._rests.acquire()

    def cancel(self) -> None:
        """Let it stop for good where it stands, the next time it is told to move."""
        self.cancelled = True

    def deliver(self, event: Event) -> None:
        """It came to an event."""

    def finish(self, error: BaseException | None) -> None:
        """It came to its end, or was cancelled."""

    @property
    def urgency(self) -> float:
        """Least for what goes first: lanes to be let go of, then by deadline."""
        if self.cancelled:
            return -inf
        return inf if self.deadline_s is None else self.deadline_s

    def move(self) -> None:
        """Let it go on until it has an event, waits for a request, or is over.

        A request it waited for must have been served, unless it was cancelled.
        """
        if self.cancelled:
            self._close()
        else:
            self._go_on()
        for event in self._event:
            self.deliver(event)
        self._event = []
        if self.is_over:
            self.finish(self._error)

    def ask(self, request: Request) -> Any:
        """In the lane: wait until the request has been served."""
        if self._closed:
            serve([request])
        else:
            self.request = request
            self._rest()
        if request.error is not None:
            raise request.error
        return request.result

    def _close(self) -> None:
        """Unwind the generator; what it still wants of the model it gets alone."""
        self._closed = True
        if not self._has_begun:
            self.is_over = True
        else:
            self._go_on()
            self._event = []

    def _go_on(self) -> None:
        self.request = None
        if self._has_begun:
            self._may_move.release()
        else:
            self._has_begun = True
            _Carrier.carry(self)
        self._rests.acquire()

    def _rest(self) -> None:
        self._rests.release()
        self._may_move.acquire()
        if self._closed:
            raise _LaneClosed

    def _work(self) -> None:
        try:
            with closing(self._steps()) as generator:
                for event in generator:
                    self._event.append(event)
                    self._rest()
        except _LaneClosed:
            pass
        except BaseException as error:  # raised again where the lane is followed
            self._error = error
        self.is_over = True


class Lanes:
    """Lanes that share the model, and whose turn it is.

    The most urgent lane goes first; among equals, the one whose turn is longest ago. When it waits
    for the model, all others first go on to where they wait, and those that want the same share
    the call.
    """

    def __init__(self) -> None:
        self._live: list[Lane] = []

    def __len__(self) -> int:
        return len(self._live)

    def add(self, lane: Lane) -> None:
        """Take in a lane; it leaves by itself when it is over."""
        self._live.append(lane)

    def cancel_all(self) -> None:
        """Let every lane stop where it stands."""
        for lane in self._live:
            lane.cancel()

    def turn(self) -> None:
        """Let the first lane move, or do what it waits for."""
        first = min(self._live, key=_urgency)
        if first.request is None or first.cancelled:
            self._move(first)
            return
        for lane in sorted(self._live, key=_urgency):
            if lane.request is None or lane.cancelled:
                self._move(lane)
        function = first.request.function
        requests, sharing = [], []
        for lane in self._live:
            if lane.request is not None and lane.request.function == function:
                requests.append(lane.request)
                sharing.append(lane)
        serve(requests)
        for lane in sharing:
            self._move(lane)

    def _move(self, lane: Lane) -> None:
        self._live.remove(lane)
        lane.move()
        if not lane.is_over:
            self._live.append(lane)


def _urgency(lane: Lane) -> float:
    return lane.urgency
