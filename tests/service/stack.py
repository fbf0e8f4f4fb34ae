"""A whole service in real processes, for tests: workers (real or mock) and gateways.

    with Stack(folder) as stack:
        worker = stack.start_mock_worker("--chat-delay", "0.1")
        gateway = stack.start_gateway([worker])
        httpx.get(gateway.url + "/status")

Everything listens on free loopback ports, logs into `folder`, and is ended by process id at the
end. With `tls=True` the gateway serves HTTPS with a certificate made for the test, which
`gateway.ssl_context` (for sockets and httpx) and `gateway.certificate` trust.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from config import EMBEDDED_MODEL_PATH
from gateway_modules.self_signed import make_certificate
from tests.service.launch import PROJECT_ROOT
from tests.service.processes import ManagedProcess, free_port

START_TIMEOUT_S = 30.0
LOAD_TIMEOUT_S = 60.0
BASE_CONFIG: dict[str, Any] = {"model": {"model_path": str(EMBEDDED_MODEL_PATH)}}


class WorkerProcess(ManagedProcess):
    """A worker, real or mock."""

    port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def is_ready(self) -> bool:
        return httpx.get(f"{self.url}/ready", trust_env=False).status_code == httpx.codes.OK

    def health(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/health", trust_env=False).json()

    def configure(self, **changes: Any) -> dict[str, Any]:
        """Change the behaviour of a mock worker; see tests/mock_worker_state.py."""
        answer = httpx.post(f"{self.url}/config", json=changes, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def requests(self) -> list[dict[str, Any]]:
        """What a mock worker was asked, oldest first."""
        return httpx.get(f"{self.url}/requests", trust_env=False).json()

    def received(self) -> list[dict[str, Any]]:
        """Every frame a mock worker got, in order, with its path and query; long texts are cut."""
        return httpx.get(f"{self.url}/received", trust_env=False).json()


class GatewayProcess(ManagedProcess):
    """A gateway and how to reach it."""

    port: int
    certificate: Path | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"{'wss' if self.certificate else 'ws'}://localhost:{self.port}"

    @cached_property
    def ssl_context(self) -> ssl.SSLContext | None:
        if self.certificate is None:
            return None
        return ssl.create_default_context(cafile=self.certificate)

    @cached_property
    def http(self) -> httpx.Client:
        """A client with this gateway's address and certificate."""
        return httpx.Client(
            base_url=self.url, verify=self.ssl_context or True, trust_env=False, timeout=30
        )

    def status(self) -> dict[str, Any]:
        return self.http.get("/status").json()

    def wait_for_status(self, timeout_s: float = 10.0, **expected: Any) -> None:
        """Wait until these fields of `GET /status` have these values."""

        def reached() -> bool:
            status = self.status()
            return all(status[name] == value for name, value in expected.items())

        self.wait_until(f"status {expected}", reached, timeout_s)


class Stack:
    """Processes of one test, ended in reverse order of their start."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self.folder = folder
        self.tls = tls
        self.processes: list[ManagedProcess] = []

    def __enter__(self) -> Stack:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in reversed(self.processes):
            process.end()

    def start_mock_worker(self, *arguments: str, port: int | None = None) -> WorkerProcess:
        """A mock worker that answers; `port` restarts one where another died."""
        worker = self._start_worker("mock_worker", "tests/mock_worker.py", arguments, port)
        worker.wait_until("answer", lambda: bool(worker.health()), START_TIMEOUT_S)
        return worker

    def start_worker(
        self, *arguments: str, model_path: Path | None = None, **config: Any
    ) -> WorkerProcess:
        """A real worker that has loaded its model, by default the random embedded one."""
        path = model_path or embedded_model()
        arguments = ("--model-path", str(path), *arguments)
        worker = self._start_worker("worker", "worker.py", arguments, None, config)
        worker.wait_until("model", lambda: worker.is_ready, LOAD_TIMEOUT_S)
        return worker

    def start_gateway(
        self,
        workers: Sequence[WorkerProcess | str] = (),
        *arguments: str,
        wait_ready: bool = True,
        environment: Mapping[str, str] | None = None,
        port: int | None = None,
        **config: Any,
    ) -> GatewayProcess:
        """A gateway in front of these workers (or addresses), with these configuration sections.

        `port` restarts one where another died.

        Returns once `/ready` is 200, or with `wait_ready=False` once it answers at all.
        """
        port = port or free_port()
        addresses = [worker if isinstance(worker, str) else worker.address for worker in workers]
        options = ["--host", "127.0.0.1", "--port", str(port)]
        if addresses:
            options += ["--workers", ",".join(addresses)]
        certificate = self._certificate() if self.tls else None
        if certificate:
            key = certificate.with_name("key.pem")
            options += ["--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
        else:
            options.append("--http")
        gateway = GatewayProcess(
            "gateway",
            "gateway.py",
            [*options, *arguments],
            self._write_config(config),
            self._log_path("gateway"),
            environment,
        )
        gateway.port, gateway.certificate = port, certificate
        self.processes.append(gateway)
        path = "/ready" if wait_ready else "/health"
        gateway.wait_until(
            f"{path} to succeed",
            lambda: gateway.http.get(path).status_code == httpx.codes.OK,
            START_TIMEOUT_S,
        )
        return gateway

    def start_program(self, name: str, program: str, *arguments: str) -> WorkerProcess:
        """Any program that takes `--host` and `--port`; it may not listen yet."""
        return self._start_worker(name, program, arguments, None)

    def _start_worker(
        self,
        name: str,
        program: str,
        arguments: Sequence[str],
        port: int | None,
        config: dict[str, Any] | None = None,
    ) -> WorkerProcess:
        port = port or free_port()
        options = ["--host", "127.0.0.1", "--port", str(port), *arguments]
        config_path = self._write_config(config or {})
        worker = WorkerProcess(name, program, options, config_path, self._log_path(name))
        worker.port = port
        self.processes.append(worker)
        return worker

    def _write_config(self, sections: dict[str, Any]) -> Path:
        service = {"data_dir": str(self.folder / "data")} | sections.get("service", {})
        sections = BASE_CONFIG | sections | {"service": service}
        path = self.folder / f"config_{len(self.processes)}.json"
        path.write_text(json.dumps(sections))
        return path

    def _log_path(self, name: str) -> Path:
        return self.folder / f"{name}_{len(self.processes)}.log"

    def _certificate(self) -> Path:
        certificate = self.folder / "cert.pem"
        if not certificate.exists():
            make_certificate(certificate, self.folder / "key.pem")
        return certificate


@cache
def embedded_model() -> Path:
    """The random embedded checkpoint; the installer leaves it out where the trained one is."""
    command = [sys.executable, "-m", "MiniCPMO45.tiny", str(EMBEDDED_MODEL_PATH)]
    subprocess.run(command, cwd=PROJECT_ROOT, stdout=subprocess.DEVNULL, check=True)
    return EMBEDDED_MODEL_PATH
