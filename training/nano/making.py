"""Data that processes make while others learn from what is there already."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from random import Random
from threading import Event, Thread
from types import TracebackType
from typing import Any, Generic, TypeVar

import torch

from training.nano import team

Item = TypeVar("Item")
Batch = TypeVar("Batch")
Maker = Callable[[int], Iterable[Item]]
"""Gives endless items of a seed; it must be something that a process can be sent."""

PATIENCE = 5  # of the processes towards the one that learns
PACE_S = 0.5  # of a process's deliveries
WAITING = 8  # deliveries of all processes
DELIVERIES_AT_ONCE = 4  # so that no batch waits for all that is made meanwhile
STOPPING_S = 0.1  # between two looks at a thread that is to end
HEAD_START = 4  # batches that are there before the first one is used
PROCESSES_AT_MOST = 100  # of each that learns, ten of them at most
SEEDS_APART = 10 * PROCESSES_AT_MOST


class Making(Generic[Item]):
    """Items from seeds that follow from ``seed``, in the order in which they get ready; when all
    that are there have been taken, they come again in other orders.

    Processes are forked at once, before anything has started threads; a fresh interpreter would
    load torch again.

    Args:
        n_items: how many different ones are made.
        n_processes: with one, they are made when they are taken.
    """

    def __init__(self, make: Maker[Item], seed: int, n_items: int, n_processes: int) -> None:
        self.items: list[Item] = []
        self._rng = Random(seed)
        self._n_items = n_items
        self._next: deque[int] = deque()
        first_seed = seed * SEEDS_APART + team.rank() * PROCESSES_AT_MOST
        self._alone = iter(islice(make(first_seed), n_items)) if n_processes <= 1 else iter(())
        self._processes: list[Any] = []
        self._deliveries: Any = None
        if n_processes > 1:
            context = multiprocessing.get_context("fork")
            self._deliveries = context.Queue(WAITING)
            for number in range(n_processes):
                share = n_items // n_processes + (number < n_items % n_processes)
                arguments = (make, first_seed + number, share, self._deliveries)
                process = context.Process(target=_deliver, args=arguments, daemon=True)
                process.start()
                self._processes.append(process)

    def __enter__(self) -> Making[Item]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.terminate()
            process.join()

    def take(self, count: int) -> list[Item]:
        """The next items, new ones first.

        Raises:
            RuntimeError: a process that makes them has failed.
        """
        self._wait_for(min(self._n_items, HEAD_START * count))
        for _ in range(DELIVERIES_AT_ONCE if self._processes else 0):
            if not self._receive(block=False):
                break
        self._add(list(islice(self._alone, max(0, count - len(self._next)))))
        while len(self._next) < count:
            again = list(range(len(self.items)))
            self._rng.shuffle(again)
            self._next += again
        return [self.items[self._next.popleft()] for _ in range(count)]

    def everything(self) -> list[Item]:
        """All items, as soon as they are made; the same for the same arguments but for their order.

        Raises:
            RuntimeError: a process that makes them has failed.
        """
        self._wait_for(self._n_items)
        self._add(list(self._alone))
        return self.items

    def _wait_for(self, count: int) -> None:
        while self._processes and len(self.items) < count:
            self._receive(block=True)

    def _receive(self, *, block: bool) -> bool:
        """Take in one delivery, if there is one."""
        if any(process.exitcode for process in self._processes):
            raise RuntimeError("a process that makes data has failed")
        try:
            delivery = self._deliveries.get(block, PACE_S)
        except queue.Empty:
            return False
        self._add(pickle.loads(delivery))
        return True

    def _add(self, items: list[Item]) -> None:
        first = len(self.items)
        self.items += items
        self._next.extendleft(reversed(range(first, len(self.items))))


@contextmanager
def prepared(batch: Callable[[], Batch], n_ahead: int = 2) -> Iterator[Iterator[Batch]]:
    """What ``batch`` gives, again and again, made ready by a thread while others are used."""
    ready: queue.Queue[Batch | Exception] = queue.Queue(n_ahead)
    stopped = Event()

    def work() -> None:
        while not stopped.is_set():
            try:
                ready.put(batch())
            except Exception as error:  # raised again where the batch is used
                ready.put(error)
                return

    def batches() -> Iterator[Batch]:
        while True:
            outcome = ready.get()
            if isinstance(outcome, Exception):
                raise outcome
            yield outcome

    thread = Thread(target=work)
    thread.start()
    try:
        yield batches()
    finally:
        stopped.set()
        while thread.is_alive():  # it may wait for a place
            with suppress(queue.Empty):
                ready.get(timeout=STOPPING_S)


def _deliver(make: Maker[Item], seed: int, count: int, deliveries: Any) -> None:
    """Make items of one seed in a process, and send them as they get ready."""
    torch.set_num_threads(1)  # the processes are the parallelism
    os.nice(PATIENCE)
    items: list[Item] = []
    sent_s = time.monotonic()
    for item in islice(make(seed), count):
        items.append(item)
        if time.monotonic() - sent_s >= PACE_S:
            deliveries.put(pickle.dumps(items))
            items, sent_s = [], time.monotonic()
    deliveries.put(pickle.dumps(items))
