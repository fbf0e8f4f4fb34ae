"""Which GPUs this process may use, as values for CUDA_VISIBLE_DEVICES."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

NVIDIA_GPUS = Path("/proc/driver/nvidia/gpus")


def visible_gpus(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Indices or names (`GPU-...`, `MIG-...`), one a device; empty where only the CPU is left.

    A set CUDA_VISIBLE_DEVICES decides alone; CUDA itself stops reading it at the first value that
    is no device, such as -1.
    """
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return _installed_gpus()
    devices = []
    for device in filter(None, (part.strip() for part in chosen.split(","))):
        if not re.fullmatch(r"\d+|(GPU|MIG)-[\w/-]+", device):
            break
        devices.append(device)
    return devices


def _installed_gpus() -> list[str]:
    if shutil.which("nvidia-smi"):
        found = subprocess.run(
            ["nvidia-smi", "--list-gpus"], capture_output=True, text=True, check=False
        )
        return parse_gpu_list(found.stdout) if found.returncode == 0 else []
    n_gpus = len(list(NVIDIA_GPUS.iterdir())) if NVIDIA_GPUS.is_dir() else 0
    return [str(index) for index in range(n_gpus)]


def parse_gpu_list(listing: str) -> list[str]:
    """Read `nvidia-smi --list-gpus`; the parts of a partitioned GPU stand in for the GPU."""
    devices: list[str] = []
    for line in listing.splitlines():
        if gpu := re.match(r"GPU (\d+):", line):
            devices.append(gpu[1])
        elif part := re.search(r"^\s+MIG .*\(UUID: (MIG-[^)]+)\)", line):
            if devices and devices[-1].isdecimal():
                devices.pop()
            devices.append(part[1])
    return devices
