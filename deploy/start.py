"""Brings the service up: workers, then the gateway, each waited for."""

from __future__ import annotations

import argparse
import fcntl
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config import NANO_MODEL_PATH, PROJECT_ROOT, ServiceConfig, is_loopback, load_config
from deploy.choices import describe, plan_layout, require_free_ports
from deploy.plan import ServiceLayout, Stages, make_plan, write_plan
from deploy.processes import remove_old_pid_files, running_processes, stop_processes, wait_until
from deploy.readiness import StartFailure, explain, wait_for_gateway, wait_for_workers

RUN_FOLDER = PROJECT_ROOT / "tmp"
GATEWAY_WAIT_S = 60.0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def start(options: argparse.Namespace) -> int:
    with _one_start_at_a_time():
        require_stopped()
        remove_old_pid_files(PROJECT_ROOT)
        config = load_config()
        layout = plan_layout(options, config)
        require_free_ports(layout, config.service.host)
        say(f"Starting {describe(layout, config)}")
        if layout.model_path is not None and not options.demo:
            kind = "trained" if layout.model_path == NANO_MODEL_PATH else "random"
            say(
                "  There are neither a GPU nor weights at model.model_path, so answers come from "
                f"a tiny {kind} model."
            )
        stages = make_plan(layout)
        signal.signal(signal.SIGTERM, _leave)  # so that the clean-up below runs
        supervisor = _start_supervisor(stages)
        try:
            _bring_up(layout, config, stages, supervisor, options.wait_seconds)
        except BaseException:
            stop_processes(PROJECT_ROOT)
            raise
    _tell_urls(layout, config)
    return _stay(supervisor) if options.foreground else 0


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _one_start_at_a_time() -> Iterator[None]:
    with (RUN_FOLDER / "start.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailure("another start_all.sh is at work here") from None
        yield


def _start_supervisor(stages: Stages) -> subprocess.Popen[bytes]:
    plan_file = RUN_FOLDER / "plan.json"
    write_plan(stages, plan_file)
    for name in ["supervisor", *(spec.name for stage in stages for spec in stage)]:
        log_file = RUN_FOLDER / f"{name}.log"
        if log_file.exists():
            log_file.replace(log_file.with_suffix(".log.1"))
    with (RUN_FOLDER / "supervisor.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.supervisor", str(plan_file)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # closing the terminal does not end the service
        )


def _bring_up(
    layout: ServiceLayout,
    config: ServiceConfig,
    stages: Stages,
    supervisor: subprocess.Popen[bytes],
    wait_s: float,
) -> None:
    workers, (gateway,) = stages
    supervisor_pid = RUN_FOLDER / "supervisor.pid"
    if not wait_until(supervisor_pid.exists, 10.0) or supervisor.poll() is not None:
        raise StartFailure(explain("the supervisor did not start", RUN_FOLDER / "supervisor.log"))
    try:
        wait_for_workers(dict(zip(layout.worker_ports, workers, strict=True)), wait_s, _Progress())
    except StartFailure as failure:
        if layout.model_path is not None:
            raise
        raise StartFailure(
            f"{failure}\nCheck model.model_path ({config.model.model_path}) in config.json. "
            "To see the service without weights, use: bash start_all.sh --demo"
        ) from failure
    supervisor.send_signal(signal.SIGUSR1)
    wait_for_gateway(f"{gateway_url(layout.scheme, config)}/ready", gateway, GATEWAY_WAIT_S)


class _Progress:
    """Shows a line when it says something new; percentages count in steps of ten."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def __call__(self, line: str) -> None:
        name, _, text = line.partition(":")
        percent, _, message = text.strip().partition("% ")
        gist = f"{int(percent) // 10} {message}" if percent.isdecimal() else text
        if self._shown.get(name) != gist:
            self._shown[name] = gist
            say(f"  {line}")


def gateway_url(scheme: str, config: ServiceConfig) -> str:
    """An address under which this machine itself reaches the gateway."""
    host = config.service.host
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    elif ":" in host:
        host = f"[{host}]"
    return f"{scheme}://{host}:{config.gateway_port}"


def _tell_urls(layout: ServiceLayout, config: ServiceConfig) -> None:
    url = gateway_url(layout.scheme, config)
    say(f"\nReady: {url}")
    say(f"  chat    {url}/turnbased\n  API     {url}/docs\n  logs    {RUN_FOLDER}")
    token_file = config.data_path / "admin_token"
    is_made = not layout.insecure and config.security.admin_token is None and token_file.exists()
    if is_made and not is_loopback(config.service.host):
        say(f"  admin token for other machines: {token_file.read_text().strip()}")
    if not layout.http:
        say("  The certificate was made here, so the browser asks once whether to trust it.")
    say("Stop it with: bash stop_all.sh")


def _stay(supervisor: subprocess.Popen[bytes]) -> int:
    """Wait for the service to end; SIGTERM and Ctrl-C end it."""

    def pass_on(number: int, _frame: object) -> None:
        supervisor.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    return supervisor.wait()


def require_stopped() -> None:
    running = running_processes(PROJECT_ROOT)
    if running:
        names = ", ".join(f"{process.name} ({process.pid})" for process in running)
        raise StartFailure(
            f"already running: {names}. See `bash start_all.sh --status`; "
            "stop it with `bash stop_all.sh`."
        )
