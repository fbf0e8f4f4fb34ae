"""Waiting for workers and the gateway, and telling how far they are."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.plan import ProcessSpec

POLL_S = 0.25
LOG_LINES_SHOWN = 25


class StartFailure(Exception):
    """The service did not come up; the text says what to do."""


@dataclass(frozen=True)
class LoadState:
    """What a worker says about itself."""

    loaded: bool = False
    failed: bool = False
    fraction: float = 0.0
    message: str = "starting"

    def describe(self) -> str:
        if self.loaded:
            return "ready"
        return f"{self.fraction:.0%} {self.message}" if self.fraction else self.message


def get_json(url: str, timeout_s: float = 5.0) -> tuple[int, dict[str, Any]] | None:
    """(status, body) of a JSON endpoint on this machine, None when nobody answers."""
    # The gateway's certificate is made by itself; we only ask whether it is up.
    unverified = ssl._create_unverified_context()
    try:
        with urllib.request.urlopen(url, timeout=timeout_s, context=unverified) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, {}
    except (OSError, ValueError):
        return None


def worker_state(port: int) -> LoadState:
    answer = get_json(f"http://127.0.0.1:{port}/health")
    if answer is None:
        return LoadState()
    health = answer[1]
    return LoadState(
        loaded=bool(health.get("model_loaded")),
        failed="error" in (health.get("status"), health.get("worker_status")),
        fraction=float(health.get("load_progress") or 0.0),
        message=str(health.get("load_message") or "loading"),
    )


def wait_for_workers(
    workers: dict[int, ProcessSpec],
    timeout_s: float,
    show: Callable[[str], None],
    state_of: Callable[[int], LoadState] = worker_state,
) -> None:
    """Return when every worker (by port) has its model; raise StartFailure otherwise."""
    waiting = dict(workers)
    alive = {port: _process_watch(worker) for port, worker in workers.items()}
    for _ in _ticks(timeout_s):
        for port, worker in list(waiting.items()):
            state = state_of(port)
            if state.failed or not next(alive[port]):
                raise StartFailure(explain(f"{worker.name} could not start", worker.log_file))
            show(f"{worker.name}: {state.describe()}")
            if state.loaded:
                del waiting[port]
        if not waiting:
            return
    worker = next(iter(waiting.values()))
    raise StartFailure(explain(f"{worker.name} was not ready in {timeout_s:g} s", worker.log_file))


def wait_for_gateway(
    url: str,
    gateway: ProcessSpec,
    timeout_s: float,
    status_of: Callable[[str], tuple[int, dict[str, Any]] | None] = get_json,
) -> None:
    """Return when `url` answers 200; raise StartFailure otherwise."""
    alive = _process_watch(gateway)
    for _ in _ticks(timeout_s):
        answer = status_of(url)
        if answer is not None and answer[0] == 200:
            return
        if not next(alive):
            raise StartFailure(explain("the gateway could not start", gateway.log_file))
    raise StartFailure(explain(f"{url} did not answer in {timeout_s:g} s", gateway.log_file))


def explain(problem: str, log_file: Path) -> str:
    """The problem together with the last lines of the log that should tell why."""
    try:
        lines = log_file.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    except FileNotFoundError:
        lines = []
    return "\n".join([f"{problem}. The end of {log_file}:", *(f"  | {line}" for line in lines)])


def _ticks(timeout_s: float) -> Iterator[None]:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        yield
        time.sleep(POLL_S)


def _process_watch(spec: ProcessSpec, start_s: float = 10.0) -> Iterator[bool]:
    """Yield whether the process of the first pid file seen is still the one running."""
    first: str | None = None
    deadline_s = time.monotonic() + start_s
    while True:
        current = spec.pid_file.read_text() if spec.pid_file.exists() else None
        first = first or current
        yield current == first if first else time.monotonic() < deadline_s
