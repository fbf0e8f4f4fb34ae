"""Keeps the processes of a plan running until somebody stops them.

A process that crashed (a signal such as SIGKILL or SIGSEGV, or a non-zero exit) is started again
after a growing pause. One that ended on purpose (exit 0, SIGTERM, SIGINT) stays down, and when
nothing runs any more the supervisor leaves too. So `pkill -f "gateway.py|worker.py"` stops the
service for good, while a process that ran out of memory comes back.

SIGTERM and SIGINT stop everything; SIGUSR1 starts the next stage of the plan.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.log_files import put_aside_if_large
from deploy.plan import ProcessSpec, read_plan

logger = logging.getLogger("supervisor")

ON_PURPOSE = {0, -signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGINT}


@dataclass(frozen=True)
class Timing:
    first_pause_s: float = 1.0
    longest_pause_s: float = 60.0
    healthy_after_s: float = 60.0  # a run this long forgets earlier crashes
    stop_grace_s: float = 10.0  # from SIGTERM to SIGKILL
    log_check_s: float = 60.0  # between two looks at the size of the logs


class Supervisor:
    def __init__(self, stages: list[list[ProcessSpec]], timing: Timing | None = None) -> None:
        self._waiting_stages = list(stages)
        self._timing = timing or Timing()
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._log_files: set[Path] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Start the first stage; return when no process is left."""
        self.start_next_stage()
        watching = asyncio.create_task(self._watch_logs())
        while self._tasks:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            self._tasks -= done
            for task in done:
                task.result()
        watching.cancel()

    def start_next_stage(self) -> None:
        if not self._waiting_stages or self._stopping.is_set():
            return
        for spec in self._waiting_stages.pop(0):
            self._tasks.add(asyncio.create_task(self._keep_running(spec), name=spec.name))

    def stop(self) -> None:
        """End every process: SIGTERM now, SIGKILL after the grace period."""
        self._stopping.set()

    async def _keep_running(self, spec: ProcessSpec) -> None:
        pause_s = self._timing.first_pause_s
        while not self._stopping.is_set():
            started_s = time.monotonic()
            status = await self._run_once(spec)
            if status in ON_PURPOSE:
                logger.info("%s ended (status %d) and stays down", spec.name, status)
                if not self._running:
                    self._stopping.set()
                return
            if self._stopping.is_set():
                return
            if time.monotonic() - started_s >= self._timing.healthy_after_s:
                pause_s = self._timing.first_pause_s
            logger.warning(
                "%s crashed (status %d), starting again in %g s", spec.name, status, pause_s
            )
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            pause_s = min(2 * pause_s, self._timing.longest_pause_s)

    async def _run_once(self, spec: ProcessSpec) -> int:
        """Run the process to its end and return its status, negative for a signal."""
        self._log_files.add(spec.log_file)
        with spec.log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=spec.folder,
                env={**os.environ, **spec.environment},
                start_new_session=True,
            )
        self._running[spec.name] = process
        spec.pid_file.write_text(f"{process.pid}\n")
        logger.info("%s runs as process %d", spec.name, process.pid)
        try:
            return await self._wait(process)
        finally:
            del self._running[spec.name]
            spec.pid_file.unlink(missing_ok=True)

    async def _watch_logs(self) -> None:
        while True:
            await asyncio.sleep(self._timing.log_check_s)
            for log_file in self._log_files.copy():
                try:
                    await asyncio.to_thread(put_aside_if_large, log_file)
                except OSError as error:
                    logger.warning("%s cannot be put aside: %s", log_file.name, error.strerror)

    async def _wait(self, process: asyncio.subprocess.Process) -> int:
        ended = asyncio.ensure_future(process.wait())
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ended.done():
            with suppress(ProcessLookupError):
                process.terminate()
            await asyncio.wait({ended}, timeout=self._timing.stop_grace_s)
        if not ended.done():
            logger.warning("process %d did not end in time and is killed", process.pid)
        with suppress(ProcessLookupError):  # whatever its own children left behind goes as well
            os.killpg(process.pid, signal.SIGKILL)
        return await ended


async def supervise(stages: list[list[ProcessSpec]], timing: Timing | None = None) -> None:
    supervisor = Supervisor(stages, timing)
    handlers: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGTERM: supervisor.stop,
        signal.SIGINT: supervisor.stop,
        signal.SIGUSR1: supervisor.start_next_stage,
    }
    for number, handler in handlers.items():
        asyncio.get_running_loop().add_signal_handler(number, handler)
    await supervisor.run()


def main() -> int:
    plan_file = Path(sys.argv[1])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    pid_file = plan_file.with_name("supervisor.pid")
    pid_file.write_text(f"{os.getpid()}\n")
    try:
        asyncio.run(supervise(read_plan(plan_file)))
    finally:
        pid_file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
