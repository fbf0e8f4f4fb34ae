"""Every stage after another, each in its share of the time.

    python -m training.nano.all_stages tmp/nano --minutes 25
    python -m training.nano.all_stages tmp/nano --stages text+codec,vision --minutes 9

Writes the untrained checkpoint where there is none, and lays the weights of every stage over it,
so that a later call goes on from there; take another ``--seed`` for a stage that goes on. Stages
joined by ``+`` run side by side. Prints one JSON line a stage.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.nano.model import lay_over, write_untrained
from training.nano.optimisation import report

TOKEN2WAV = Path("assets") / "token2wav"
STARTING_S = 6.0  # of a process, before its own clock runs
WHOLE = "text+codec,vision+flow+vocoder,hearing,duplex,tts"


@dataclass(frozen=True)
class Stage:
    """A training command, and its share of the time.

    Args:
        makes_sound: it reads and writes the checkpoint's parts that make sound.
    """

    module: str
    share: float
    makes_sound: bool = False


STAGES = {
    "text": Stage("train_text", 5),
    "vision": Stage("train_vision", 5),
    "codec": Stage("train_speech_codec", 3, makes_sound=True),
    "flow": Stage("train_flow", 5, makes_sound=True),
    "vocoder": Stage("train_vocoder", 5, makes_sound=True),
    "hearing": Stage("train_hearing", 6),
    "duplex": Stage("train_duplex", 5),
    "tts": Stage("train_tts", 4),
}


def main(arguments: list[str] | None = None) -> int:
    """Run stages; returns the exit status."""
    options = _options(arguments)
    ends_s = time.monotonic() + options.minutes * 60
    if not options.folder.exists():
        write_untrained(options.folder)
    weights_of(options.folder).mkdir(exist_ok=True)
    shares = [max(STAGES[name].share for name in group) for group in options.stages]
    for number, group in enumerate(options.stages):
        left_s = ends_s - time.monotonic()
        minutes = (left_s * shares[number] / sum(shares[number:]) - STARTING_S) / 60
        if not run_beside(group, options, minutes):
            return 1
    return 0


def run_beside(group: list[str], options: argparse.Namespace, minutes: float) -> bool:
    """Run stages at the same time; whether all of them ended well.

    They report in turn, and the weights of those that ended well are laid over the checkpoint.
    """
    processes = {name: _start(name, options, minutes) for name in group}
    well = True
    for name, process in processes.items():
        printed, _ = process.communicate()
        if process.returncode:
            well = False
            report(stage=name, exit_status=process.returncode)
            continue
        done: dict[str, Any] = json.loads(printed)
        if not STAGES[name].makes_sound:
            folder = weights_of(options.folder)
            lay_over(options.folder, [folder / file for file in done["files"]])
        report(**done)
    return well


def _start(name: str, options: argparse.Namespace, minutes: float) -> subprocess.Popen[str]:
    stage = STAGES[name]
    command = [sys.executable, "-m", f"training.nano.{stage.module}"]
    if stage.makes_sound:
        command += ["--out", str(options.folder / TOKEN2WAV)]
        command += ["--keep", str(weights_of(options.folder) / "recordings.pt")]
    else:
        command += [str(options.folder), "--out", str(weights_of(options.folder))]
    command += ["--minutes", f"{minutes:.3f}", "--seed", str(options.seed)]
    command += ["--processes", str(options.processes), *options.extra[name]]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def weights_of(folder: Path) -> Path:
    """Where the stages of a checkpoint leave what belongs to none of its files."""
    return folder.with_name(f"{folder.name}-stages")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.nano.all_stages")
    parser.add_argument("folder", type=Path, help="the checkpoint")
    parser.add_argument("--stages", type=_groups, default=WHOLE, help=f"by default {WHOLE}")
    parser.add_argument("--minutes", type=float, required=True, help="for all of them together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="STAGE:OPTION=VALUE",
        help="options of stages, such as text:batch=8",
    )
    options = parser.parse_args(arguments)
    options.extra = {name: [] for name in STAGES}
    for text in options.set:
        name, _, setting = text.partition(":")
        option, _, value = setting.partition("=")
        if name not in STAGES or not value:
            parser.error(f"{text} does not have the form STAGE:OPTION=VALUE")
        options.extra[name] += [f"--{option}", value]
    return options


def _groups(text: str) -> list[list[str]]:
    groups = [group.split("+") for group in text.split(",")]
    unknown = {name for group in groups for name in group} - set(STAGES)
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no stage {', '.join(sorted(unknown))}")
    return groups


if __name__ == "__main__":
    sys.exit(main())
