"""How late an event loop does what is due."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PERIOD_S = 0.5
LAG_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


async def watch_loop_lag(observe: Callable[[float], None], period_s: float = PERIOD_S) -> None:
    """Call `observe` every period with the seconds by which this task was woken late."""
    while True:
        due_at_s = time.monotonic() + period_s
        await asyncio.sleep(period_s)
        observe(max(0.0, time.monotonic() - due_at_s))
