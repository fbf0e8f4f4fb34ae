"""Which processes make up the service: a plan is stages of processes, workers before gateway."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Stages = list[list["ProcessSpec"]]


@dataclass(frozen=True)
class ProcessSpec:
    """One process; its pid and log files are `<name>.pid` and `<name>.log` in `run_folder`."""

    name: str
    command: list[str]
    folder: Path
    run_folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def pid_file(self) -> Path:
        return self.run_folder / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        return self.run_folder / f"{self.name}.log"


@dataclass(frozen=True)
class ServiceLayout:
    """Everything that decides how the processes are started."""

    root: Path
    python: Path
    gateway_port: int
    worker_ports: list[int]
    devices: list[str]  # CUDA_VISIBLE_DEVICES of each worker; "" is the CPU
    model_path: Path | None = None  # None: what the configuration says
    http: bool = False
    insecure: bool = False
    compile: bool = False

    @property
    def run_folder(self) -> Path:
        return self.root / "tmp"

    @property
    def scheme(self) -> str:
        return "http" if self.http else "https"


def make_plan(layout: ServiceLayout) -> Stages:
    workers = [
        _worker(layout, index, port, device)
        for index, (port, device) in enumerate(
            zip(layout.worker_ports, layout.devices, strict=True)
        )
    ]
    return [workers, [_gateway(layout)]]


def _worker(layout: ServiceLayout, index: int, port: int, device: str) -> ProcessSpec:
    # A device may be an index or the name of a GPU or of a part of one; the label is a number.
    label = device if device.isdecimal() else str(index)
    command = [str(layout.python), str(layout.root / "worker.py")]
    command += ["--port", str(port), "--gpu-id", label, "--worker-index", str(index)]
    if layout.model_path is not None:
        command += ["--model-path", str(layout.model_path)]
    if layout.compile:
        command.append("--compile")
    return _process(layout, f"worker_{index}", command, CUDA_VISIBLE_DEVICES=device)


def _gateway(layout: ServiceLayout) -> ProcessSpec:
    workers = ",".join(f"localhost:{port}" for port in layout.worker_ports)
    command = [str(layout.python), str(layout.root / "gateway.py")]
    command += ["--port", str(layout.gateway_port), "--workers", workers]
    if layout.http:
        command.append("--http")
    if layout.insecure:
        command.append("--insecure")
    return _process(layout, "gateway", command)


def _process(
    layout: ServiceLayout, name: str, command: list[str], **environment: str
) -> ProcessSpec:
    environment |= {
        "PYTHONPATH": str(layout.root),
        "PYTHONUNBUFFERED": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(layout.root / "torch_compile_cache"),
    }
    return ProcessSpec(name, command, layout.root, layout.run_folder, environment)


def write_plan(stages: Stages, file: Path) -> None:
    content = [[asdict(spec) for spec in stage] for stage in stages]
    file.write_text(json.dumps(content, indent=2, default=str))


def read_plan(file: Path) -> Stages:
    def spec(values: dict[str, Any]) -> ProcessSpec:
        folders = {name: Path(values[name]) for name in ("folder", "run_folder")}
        return ProcessSpec(**{**values, **folders})

    return [[spec(values) for values in stage] for stage in json.loads(file.read_text())]
