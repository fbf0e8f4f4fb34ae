"""Tasks that end in time: waiting no longer than that, and leaving none behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")


async def within(timeout_s: float, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of `work`, which is cancelled when it does not come in time.

    `asyncio.wait_for` would do, but before Python 3.12 it loses a cancellation that comes in the
    same moment as the result, and whoever cancelled then waits for ever.

    Raises:
        asyncio.TimeoutError: it did not come.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=timeout_s)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()


async def cancel_and_wait(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel what still runs and wait until it is over; results and errors are dropped."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)  # gather() would hide who cancels the waiting itself
    for task in tasks:
        if not task.cancelled():
            task.exception()


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """In the block, `work` runs as well; at the end of it, it is cancelled and over."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        await cancel_and_wait([task])
