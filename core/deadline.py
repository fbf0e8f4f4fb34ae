"""Waiting no longer than a certain time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
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
