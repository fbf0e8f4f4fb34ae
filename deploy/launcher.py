"""Command line behind start_all.sh and stop_all.sh."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence

from config import (
    CONFIG_PATH,
    EXAMPLE_PATH,
    PROJECT_ROOT,
    ServiceConfig,
    describe_error,
    load_config,
)
from deploy.choices import describe, plan_layout, require_free_ports
from deploy.processes import running_processes, stop_processes
from deploy.readiness import StartFailure, get_json, worker_state
from deploy.start import RUN_FOLDER, gateway_url, require_stopped, say, start


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of start_all.sh, whose first lines explain them."""
    parser = argparse.ArgumentParser(prog="start_all.sh", add_help=False, allow_abbrev=False)
    for switch in ("--http", "--compile", "--demo", "--foreground", "--insecure"):
        parser.add_argument(switch, action="store_true")
    parser.add_argument("--num-gpus", type=_whole_number)
    parser.add_argument("--wait-seconds", type=_positive, default=3600.0)
    instead_of_starting = parser.add_mutually_exclusive_group()
    for switch in ("--status", "--stop", "--check"):
        instead_of_starting.add_argument(switch, action="store_true")
    return parser.parse_args(arguments)


def _whole_number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is no whole number")
    return int(text)


def _positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0")
    return value


def status() -> int:
    running = running_processes(PROJECT_ROOT)
    if not running:
        say("Nothing runs.")
        return 1
    config = load_config(allow_missing=True)
    for process in running:
        say(f"{process.name:12} process {process.pid:<8} {_health(process.name, config)}".rstrip())
    return 0 if any(process.name == "gateway" for process in running) else 1


def _health(name: str, config: ServiceConfig) -> str:
    kind, _, index = name.partition("_")
    if kind == "worker":
        return worker_state(config.worker_port(int(index))).describe()
    if kind == "gateway":
        for scheme in ("https", "http"):
            answer = get_json(f"{gateway_url(scheme, config)}/ready")
            if answer:
                return "ready" if answer[0] == 200 else "no worker is ready"
        return "does not answer"
    return ""


def stop() -> int:
    stopped = stop_processes(PROJECT_ROOT)
    names = ", ".join(process.name for process in stopped)
    say(f"Stopped {names}." if stopped else "Nothing runs.")
    return 0


def check(options: argparse.Namespace) -> int:
    config = load_config(allow_missing=True)
    layout = plan_layout(options, config)
    require_stopped()
    require_free_ports(layout, config.service.host)
    say(f"Would start {describe(layout, config)}, gateway on port {layout.gateway_port}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options(arguments)
    RUN_FOLDER.mkdir(exist_ok=True)
    try:
        if options.status:
            return status()
        if options.stop:
            return stop()
        if options.check:
            return check(options)
        if not CONFIG_PATH.exists():
            shutil.copyfile(EXAMPLE_PATH, CONFIG_PATH)
            say(f"Made {CONFIG_PATH.name} from {EXAMPLE_PATH.name}")
        return start(options)
    except (StartFailure, OSError, ValueError) as error:
        sys.stderr.write(f"start_all.sh: {describe_error(error)}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("start_all.sh: interrupted, everything is stopped again\n")
        return 130


if __name__ == "__main__":
    os.chdir(PROJECT_ROOT)
    sys.exit(main())
