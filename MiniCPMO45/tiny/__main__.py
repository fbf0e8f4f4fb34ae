"""Command line: ``python -m MiniCPMO45.tiny OUT_DIR [--force]``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from MiniCPMO45.errors import CheckpointError
from MiniCPMO45.tiny.builder import build


def main(arguments: list[str] | None = None) -> int:
    """Build the checkpoint unless it is there already; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m MiniCPMO45.tiny",
        description="Build the small random checkpoint that serves demonstrations without a GPU.",
    )
    parser.add_argument("out_dir", metavar="OUT_DIR", type=Path, help="folder to create")
    parser.add_argument("--force", action="store_true", help="build even if it is up to date")
    options = parser.parse_args(arguments)

    started_s = time.monotonic()
    try:
        was_built = build(options.out_dir, force=options.force)
    except (CheckpointError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if was_built:
        took_s = time.monotonic() - started_s
        sys.stdout.write(f"built {options.out_dir} in {took_s:.1f} s\n")
    else:
        sys.stdout.write(f"{options.out_dir} is up to date\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
