"""What start_all.sh would start here: which devices, which model, on which ports."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from config import PROJECT_ROOT, ServiceConfig, embedded_model_path
from deploy.devices import visible_gpus
from deploy.plan import ServiceLayout
from deploy.ports import port_is_busy, port_owner
from deploy.readiness import StartFailure


def plan_layout(options: argparse.Namespace, config: ServiceConfig) -> ServiceLayout:
    devices = choose_devices(options.num_gpus, visible_gpus())
    return ServiceLayout(
        root=PROJECT_ROOT,
        python=Path(sys.executable),
        gateway_port=config.gateway_port,
        worker_ports=[config.worker_port(index) for index in range(len(devices))],
        devices=devices,
        model_path=choose_model(options.demo, devices, config),
        http=options.http,
        insecure=options.insecure,
        compile=options.compile,
    )


def choose_devices(n_gpus: int | None, gpus: list[str]) -> list[str]:
    """One entry a worker; a single "" is the CPU."""
    if n_gpus is not None and n_gpus > len(gpus):
        raise StartFailure(f"--num-gpus {n_gpus}: only {len(gpus)} GPUs are visible")
    return (gpus if n_gpus is None else gpus[:n_gpus]) or [""]


def choose_model(demo: bool, devices: list[str], config: ServiceConfig) -> Path | None:
    """The embedded checkpoint, or None for the configured model.

    A machine with a GPU never falls back silently: there the embedded one must be asked for.
    """
    on_cpu = devices == [""]
    if demo or (on_cpu and config.local_model_folder is None):
        return embedded_model_path()
    return None


def require_free_ports(layout: ServiceLayout, gateway_host: str) -> None:
    wanted = [("service.gateway_port", gateway_host, layout.gateway_port)]
    wanted += [("service.worker_base_port", "127.0.0.1", port) for port in layout.worker_ports]
    for setting, host, port in wanted:
        try:
            busy = port_is_busy(host, port)
        except OSError as error:
            raise StartFailure(f"{error}. Change {setting} in config.json.") from error
        if busy:
            owner = port_owner(port) or "a process of another user"
            raise StartFailure(
                f"port {port} is in use by {owner}. End it, or change {setting} in config.json."
            )


def describe(layout: ServiceLayout, config: ServiceConfig) -> str:
    model = "the embedded checkpoint" if layout.model_path else config.model.model_path
    devices = ", ".join(device or "CPU" for device in layout.devices)
    return f"{model} on {len(layout.devices)} worker(s): {devices}"
