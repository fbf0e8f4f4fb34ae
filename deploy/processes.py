"""The processes of this installation, found through their pid files."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARKERS = {"worker": "worker.py", "gateway": "gateway.py", "supervisor": "deploy.supervisor"}


@dataclass(frozen=True)
class RunningProcess:
    name: str
    pid: int


def running_processes(root: Path) -> list[RunningProcess]:
    """Those whose pid file names a live process of ours."""
    found = []
    for pid_file in sorted((root / "tmp").glob("*.pid")):
        with suppress(FileNotFoundError, ValueError):
            process = RunningProcess(pid_file.stem, int(pid_file.read_text()))
            if is_ours(process.pid, process.name, root):
                found.append(process)
    return found


def remove_old_pid_files(root: Path) -> None:
    """Clear what processes that were killed left behind; for when nothing runs."""
    for pid_file in (root / "tmp").glob("*.pid"):
        pid_file.unlink(missing_ok=True)


def is_ours(pid: int, name: str, root: Path) -> bool:
    """Guards against a pid that was given to somebody else's process since."""
    marker = MARKERS.get(name.partition("_")[0])
    command = _command_line(pid)
    return marker is not None and marker in command and f"{root}{os.sep}" in command


def _command_line(pid: int) -> str:
    """The command line of a live process, empty for a dead one."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    listing = subprocess.run(
        ["ps", "-ww", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return listing.stdout


def stop_processes(root: Path, grace_s: float = 15.0) -> list[RunningProcess]:
    """End all processes of this installation; return those that ran.

    A live supervisor passes SIGTERM on and starts nothing again. What is left after the grace
    period gets SIGKILL.
    """
    ran = running_processes(root)
    supervisor = [process for process in ran if process.name == "supervisor"]
    for process in supervisor or ran:
        _signal(process, signal.SIGTERM)
    if not wait_until(lambda: not _alive(ran, root), grace_s):
        for process in _alive(ran, root):
            _signal(process, signal.SIGKILL)
        wait_until(lambda: not _alive(ran, root), 5.0)
    remove_old_pid_files(root)
    return ran


def _alive(processes: list[RunningProcess], root: Path) -> list[RunningProcess]:
    return [process for process in processes if is_ours(process.pid, process.name, root)]


def _signal(process: RunningProcess, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Whether `condition` came true in time."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.05)
    return True
