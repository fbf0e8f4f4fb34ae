"""Delete old recordings now: `python session_cleanup.py --help`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from core.logs import configure_logging
from core.recording import cleanup_sessions


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 when something could not be deleted."""
    options = make_parser().parse_args(arguments)
    configure_logging()
    result = cleanup_sessions(
        options.data_dir, options.retention_days, options.max_storage_gb, dry_run=options.dry_run
    )
    json.dump(result, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 1 if result.get("errors") else 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="session_cleanup.py",
        description="Delete old recordings, then the oldest ones while they take too much room. "
        "Sessions that go on are never deleted.",
    )
    parser.add_argument("--data-dir", default="data", help="as service.data_dir (default data)")
    parser.add_argument(
        "--retention-days", type=float, default=30, help="delete what is older (default 30)"
    )
    parser.add_argument(
        "--max-storage-gb",
        "--max-gb",
        type=float,
        default=50,
        help="delete the oldest above this size (default 50)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be deleted")
    return parser


if __name__ == "__main__":
    sys.exit(main())
