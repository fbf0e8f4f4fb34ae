"""The supervisor restarts what crashed, leaves down what was stopped, and ends with the last."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from config import PROJECT_ROOT
from deploy import supervisor
from deploy.log_files import put_aside_if_large
from deploy.plan import ProcessSpec, read_plan, write_plan
from deploy.supervisor import Supervisor, Timing

QUICK = Timing(first_pause_s=0.05, longest_pause_s=0.2, healthy_after_s=60.0, stop_grace_s=0.5)
# A shell in the background makes its children ignore SIGINT; the real processes handle it.
STAY = (
    "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "print('up', flush=True); time.sleep(600)"
)
DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('up', flush=True); time.sleep(600)"
)

PATIENCE_S = 60  # reached only when something hangs


@pytest.fixture
def spec(tmp_path: Path) -> Callable[[str, str], ProcessSpec]:
    def make(name: str, program: str) -> ProcessSpec:
        return ProcessSpec(name, [sys.executable, "-c", program], tmp_path, tmp_path)

    return make


class Running:
    """A supervisor at work in the background of a test."""

    def __init__(self, *stages: list[ProcessSpec], timing: Timing = QUICK) -> None:
        self.supervisor = Supervisor(list(stages), timing)
        self.task = asyncio.create_task(self.supervisor.run())

    async def ends(self) -> None:
        await asyncio.wait_for(self.task, PATIENCE_S)


@pytest.fixture
async def supervise() -> AsyncIterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(*stages: list[ProcessSpec], timing: Timing = QUICK) -> Running:
        started.append(Running(*stages, timing=timing))
        return started[-1]

    yield start
    for running in started:
        running.supervisor.stop()
        await running.ends()


async def eventually(condition: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not condition():  # noqa: ASYNC110 - processes raise no events
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), PATIENCE_S)


async def pid_of(process: ProcessSpec, other_than: int | None = None) -> int:
    """The process's id once it runs its program, which says `up` first."""
    pids: list[int] = []

    def is_up() -> bool:
        with suppress(FileNotFoundError, ValueError):
            pids[:] = [int(process.pid_file.read_text())]
            return pids[0] != other_than and "up" in process.log_file.read_text()
        return False

    await eventually(is_up)
    return pids[0]


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.parametrize("crash", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_a_process_killed_by_a_crash_signal_is_started_again(spec, supervise, crash) -> None:
    worker = spec("worker_0", STAY)
    supervise([worker])
    first = await pid_of(worker)
    os.kill(first, crash)
    assert await pid_of(worker, other_than=first) != first


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_that_was_stopped_stays_down(spec, supervise, stop, caplog) -> None:
    caplog.set_level(logging.INFO)
    worker, gateway = spec("worker_0", STAY), spec("gateway", STAY)
    supervise([worker, gateway])
    gateway_pid = await pid_of(gateway)
    os.kill(await pid_of(worker), stop)
    await eventually(lambda: "worker_0 ended" in caplog.text)
    assert is_alive(gateway_pid)
    assert not worker.pid_file.exists()
    assert "starting again" not in caplog.text


async def test_a_process_that_fails_is_started_again_after_growing_pauses(
    spec, supervise, tmp_path
) -> None:
    starts = tmp_path / "starts"
    program = f"import time; open({str(starts)!r}, 'a').write(f'{{time.time()}}\\n'); exit(3)"
    supervise([spec("worker_0", program)])
    await eventually(lambda: starts.exists() and len(starts.read_text().splitlines()) >= 4)
    times_s = [float(line) for line in starts.read_text().splitlines()]
    pauses_s = [after - before for before, after in pairwise(times_s)]
    assert pauses_s[0] >= 0.05
    assert pauses_s[2] >= 0.2


async def test_the_supervisor_ends_when_everything_was_stopped(spec, supervise) -> None:
    worker, gateway = spec("worker_0", STAY), spec("gateway", STAY)
    running = supervise([worker, gateway])
    for process in (worker, gateway):
        os.kill(await pid_of(process), signal.SIGTERM)
    await running.ends()


async def test_what_waits_to_be_restarted_does_not_outlive_a_stop_of_the_rest(
    spec, supervise
) -> None:
    crashing, gateway = spec("worker_0", STAY), spec("gateway", STAY)
    running = supervise([crashing, gateway], timing=Timing(first_pause_s=600))
    os.kill(await pid_of(crashing), signal.SIGKILL)
    await eventually(lambda: not crashing.pid_file.exists())
    os.kill(await pid_of(gateway), signal.SIGTERM)
    await running.ends()


async def test_stopping_ends_every_process_and_removes_the_pid_files(spec, supervise) -> None:
    processes = [spec("worker_0", STAY), spec("worker_1", STAY)]
    running = supervise(processes)
    pids = [await pid_of(process) for process in processes]
    running.supervisor.stop()
    await running.ends()
    assert not any(map(is_alive, pids))
    assert not any(process.pid_file.exists() for process in processes)


async def test_a_process_deaf_to_sigterm_is_killed_after_the_grace_period(spec, supervise) -> None:
    worker = spec("worker_0", DEAF)
    running = supervise([worker])
    pid = await pid_of(worker)
    running.supervisor.stop()
    await running.ends()
    assert not is_alive(pid)


async def test_the_next_stage_starts_only_when_asked_for(spec, supervise) -> None:
    worker, gateway = spec("worker_0", STAY), spec("gateway", STAY)
    running = supervise([worker], [gateway])
    await pid_of(worker)
    assert not gateway.pid_file.exists()
    running.supervisor.start_next_stage()
    assert is_alive(await pid_of(gateway))


async def test_output_of_every_run_is_kept_in_one_log(spec, supervise) -> None:
    worker = spec("worker_0", "print('here', flush=True); exit(1)")
    supervise([worker])
    await eventually(
        lambda: worker.log_file.exists() and worker.log_file.read_text().count("here") >= 2
    )


async def test_a_log_that_grows_large_is_put_aside(spec, supervise, monkeypatch) -> None:
    small = partial(put_aside_if_large, largest_bytes=100)
    monkeypatch.setattr(supervisor, "put_aside_if_large", small)
    talk = "import time\nwhile True: print('here', flush=True); time.sleep(0.001)"
    worker = spec("worker_0", talk)
    supervise([worker], timing=replace(QUICK, log_check_s=0.05))
    aside = worker.log_file.with_suffix(".log.1")
    await eventually(lambda: aside.exists() and worker.log_file.stat().st_size < 10_000)
    assert aside.read_text().startswith("here\n")
    await eventually(lambda: worker.log_file.read_text().startswith("here\n"))


async def test_a_process_sees_its_environment(tmp_path, supervise) -> None:
    program = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True)"
    command = [sys.executable, "-c", program]
    worker = ProcessSpec("worker_0", command, tmp_path, tmp_path, {"CUDA_VISIBLE_DEVICES": "MIG-7"})
    await supervise([worker]).ends()
    assert worker.log_file.read_text() == "MIG-7\n"


def test_the_program_leaves_on_sigterm_with_all_it_started(spec, tmp_path) -> None:
    worker = spec("worker_0", STAY)
    plan_file = tmp_path / "plan.json"
    write_plan([[worker], []], plan_file)
    assert read_plan(plan_file) == [[worker], []]
    program = subprocess.Popen(
        [sys.executable, "-m", "deploy.supervisor", str(plan_file)], cwd=PROJECT_ROOT
    )
    deadline_s = time.monotonic() + PATIENCE_S
    while not (worker.pid_file.exists() and worker.pid_file.read_text().strip()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    pid = int(worker.pid_file.read_text())
    program.terminate()
    assert program.wait(PATIENCE_S) == 0
    assert not is_alive(pid)
    assert not list(tmp_path.glob("*.pid"))
