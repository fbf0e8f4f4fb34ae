"""A process under test: started on a free port, its log kept, ended by its own id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from tests.service.launch import PROJECT_ROOT

LAUNCHER = Path(__file__).with_name("launch.py")
STOP_TIMEOUT_S = 10.0
POLL_S = 0.05
LOG_TAIL_LINES = 40


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ManagedProcess:
    """One program of the project, run with `config_path` as its configuration."""

    def __init__(
        self,
        name: str,
        program: str,
        arguments: Sequence[str],
        config_path: Path,
        log_path: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log_path = log_path
        command = [sys.executable, str(LAUNCHER), str(config_path), program, *arguments]
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=PROJECT_ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | (environment or {}),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    @property
    def resident_mb(self) -> float:
        """Memory of the process that is really in use, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """End it as an operator would, and return its exit status."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} ignored SIGTERM\n{self._log_tail()}") from None

    def kill(self) -> None:
        """End it at once, as the kernel does when memory runs out."""
        self._process.kill()
        self._process.wait()

    def suspend(self) -> None:
        """Freeze it: connections stay open and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Clean up after a test: never raises."""
        if self.is_running:
            self.resume()
            with contextlib.suppress(AssertionError):
                self.stop()

    def wait_exit(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        return self._process.wait(timeout_s)

    def wait_until(self, what: str, condition: Callable[[], bool], timeout_s: float) -> None:
        """Poll until `condition` holds; a process that ended or took too long fails the test."""
        deadline = time.monotonic() + timeout_s
        while not self._holds(condition):
            if not self.is_running:
                raise AssertionError(f"{self.name} ended before {what}\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name}: no {what} in time\n{self._log_tail()}")
            time.sleep(POLL_S)

    @staticmethod
    def _holds(condition: Callable[[], bool]) -> bool:
        try:
            return condition()
        except httpx.TransportError:
            return False

    def _log_tail(self) -> str:
        return "\n".join(self.log.splitlines()[-LOG_TAIL_LINES:])
