"""Imports what the service needs and prints which versions and devices it found.

Exits with 1 and the names of the packages that cannot be imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
import sys

NEEDED = (
    "torch",
    "transformers",
    "tokenizers",
    "accelerate",
    "safetensors",
    "huggingface_hub",
    "numpy",
    "PIL",
    "onnxruntime",
    "yaml",
    "av",
    "fastapi",
    "uvicorn",
    "uvloop",
    "httptools",
    "httpx",
    "websockets",
    "python_multipart",
    "pydantic",
    "cryptography",
    "prometheus_client",
)


def import_problems(names: tuple[str, ...]) -> list[str]:
    """One line for each module that cannot be imported, saying why."""
    problems = []
    for name in names:
        try:
            importlib.import_module(name)
        except (ImportError, OSError) as error:  # OSError: a shared library does not load
            problems.append(f"{name}: {error}")
    return problems


def report() -> str:
    """What was found, one `name: value` a line."""
    import torch
    import transformers

    if torch.cuda.is_available():
        cuda = torch.version.cuda
        gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    else:
        cuda, gpus = "none", ["none, the CPU is used"]
    flash_attention = importlib.util.find_spec("flash_attn") is not None
    lines = {
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "CUDA": cuda,
        "GPU": ", ".join(gpus),
        "attention": "flash-attn" if flash_attention else "SDPA (flash-attn is not installed)",
        "transformers": transformers.__version__,
    }
    return "\n".join(f"  {name + ':':14}{value}" for name, value in lines.items())


def main() -> int:
    problems = import_problems(NEEDED)
    sys.stdout.write("\n".join(problems) if problems else report())
    sys.stdout.write("\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
