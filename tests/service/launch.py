"""Run a program of the project with another configuration file: `launch.py CONFIG PROGRAM ...`.

The program also ends when the process that started it dies, however that happens.
"""

from __future__ import annotations

import ctypes
import runpy
import signal
import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1


def main() -> None:
    config_path, program, *arguments = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    sys.path[0] = str(PROJECT_ROOT)
    import config

    config.CONFIG_PATH = Path(config_path)
    sys.argv = [program, *arguments]
    runpy.run_path(str(PROJECT_ROOT / program), run_name="__main__")


if __name__ == "__main__":
    main()
