"""Every stage after another, each in its share of the time.

    python -m training.nano.all_stages tmp/nano --minutes 25
    python -m training.nano.all_stages tmp/nano --stages text*3+codec,vision --minutes 9

Writes the untrained checkpoint where there is none, and lays the weights of every stage over it,
so that a later call goes on from there; take another ``--seed`` for a stage that goes on. Stages
joined by ``+`` run side by side, on GPUs of their own where there are enough; ``text*3`` runs on
three, which learn together. Prints one JSON line a stage.
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

import torch

from training.nano.model import lay_over, write_untrained
from training.nano.optimisation import report

TOKEN2WAV = Path("assets") / "token2wav"
STARTING_S = 6.0  # of a process, before its own clock runs
FIRST_PORT = 29500  # on which processes that learn together meet
WHOLE = "text+codec,vision+flow+vocoder,ear,hearing,duplex,tts"


@dataclass(frozen=True)
class Stage:
    """A training command, and its share of the time.

    Args:
        makes_sound: it reads and writes the checkpoint's parts that make sound.
    """

    module: str
    share: float
    makes_sound: bool = False


@dataclass(frozen=True)
class Share:
    """One stage of those that run side by side, and how many GPUs it takes."""

    name: str
    n_gpus: int = 1

    @property
    def stage(self) -> Stage:
        return STAGES[self.name]

    @classmethod
    def parse(cls, text: str) -> Share:
        """Read ``text*3``.

        Raises:
            argparse.ArgumentTypeError: there is no such stage, or no such number.
        """
        name, _, number = text.partition("*")
        if name not in STAGES:
            raise argparse.ArgumentTypeError(f"there is no stage {name}")
        if number and (not number.isdecimal() or int(number) < 1):
            raise argparse.ArgumentTypeError(f"{text}: {number} is no number of GPUs")
        n_gpus = int(number or 1)
        if n_gpus > 1 and STAGES[name].makes_sound:
            raise argparse.ArgumentTypeError(f"{name} runs on one GPU")
        return cls(name, n_gpus)


STAGES = {
    "text": Stage("train_text", 5),
    "vision": Stage("train_vision", 5),
    "codec": Stage("train_speech_codec", 3, makes_sound=True),
    "flow": Stage("train_flow", 5, makes_sound=True),
    "vocoder": Stage("train_vocoder", 5, makes_sound=True),
    "ear": Stage("train_ear", 3),
    "hearing": Stage("train_hearing", 5),
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
    shares = [max(share.stage.share for share in group) for group in options.stages]
    for number, group in enumerate(options.stages):
        left_s = ends_s - time.monotonic()
        minutes = (left_s * shares[number] / sum(shares[number:]) - STARTING_S) / 60
        if not run_beside(group, options, minutes):
            return 1
    return 0


def run_beside(group: list[Share], options: argparse.Namespace, minutes: float) -> bool:
    """Run stages at the same time; whether all of them ended well.

    They report in turn, and the weights of those that ended well are laid over the checkpoint.
    """
    n_gpus = sum(share.n_gpus for share in group)
    processes: dict[str, subprocess.Popen[str]] = {}
    first_gpu = 0
    for share in group:
        n_making = max(1, options.processes // n_gpus)
        command = _command(share, options, minutes, n_making, FIRST_PORT + first_gpu)
        seen = range(first_gpu, first_gpu + share.n_gpus)
        environment = os.environ | _visible(seen, torch.cuda.device_count())
        processes[share.name] = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        )
        first_gpu += share.n_gpus
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


def _visible(wanted: range, n_gpus: int) -> dict[str, str]:
    """Environment in which a stage sees its GPUs; with fewer than that, stages share them."""
    if not n_gpus:
        return {}
    return {"CUDA_VISIBLE_DEVICES": ",".join(str(number % n_gpus) for number in wanted)}


def _command(
    share: Share, options: argparse.Namespace, minutes: float, n_making: int, port: int
) -> list[str]:
    stage = share.stage
    command = [sys.executable]
    if share.n_gpus > 1:
        command += ["-m", "torch.distributed.run", "--nproc-per-node", str(share.n_gpus)]
        command += ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    command += ["-m", f"training.nano.{stage.module}"]
    if stage.makes_sound:
        command += ["--out", str(options.folder / TOKEN2WAV)]
        command += ["--keep", str(weights_of(options.folder) / "recordings.pt")]
    else:
        command += [str(options.folder), "--out", str(weights_of(options.folder))]
    command += ["--minutes", f"{minutes:.3f}", "--seed", str(options.seed)]
    return [*command, "--processes", str(n_making), *options.extra[share.name]]


def weights_of(folder: Path) -> Path:
    """Where the stages of a checkpoint leave what belongs to none of its files."""
    return folder.with_name(f"{folder.name}-stages")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.nano.all_stages")
    parser.add_argument("folder", type=Path, help="the checkpoint")
    parser.add_argument("--stages", type=_groups, default=WHOLE, help=f"by default {WHOLE}")
    parser.add_argument("--minutes", type=float, required=True, help="for all of them together")
    parser.add_argument("--seed", type=int, default=1)
    n_making = max(1, (os.cpu_count() or 1) * 3 // 4)  # the rest is for those that learn
    parser.add_argument("--processes", type=int, default=n_making)
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


def _groups(text: str) -> list[list[Share]]:
    return [[Share.parse(part) for part in group.split("+")] for group in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
