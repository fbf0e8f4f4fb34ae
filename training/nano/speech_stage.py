"""What the speech stages share: options, and recordings that one stage leaves for the next."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path

import torch

from training.nano.optimisation import training_options
from training.nano.recordings import Recordings, recordings

HELD_OUT_SEED = 9_000
N_HELD_OUT = 16


@dataclass(frozen=True)
class SpeechStage:
    """The defaults of one stage.

    Args:
        rate: highest learning rate.
    """

    name: str
    steps: int
    batch: int
    rate: float

    def parse(self, arguments: list[str] | None) -> argparse.Namespace:
        """Read the command line."""
        parser = argparse.ArgumentParser(prog=f"python -m training.nano.{self.name}")
        parser.add_argument("--out", type=Path, required=True, help="folder to go on from")
        training_options(
            parser, steps=self.steps, batch=self.batch, rate=self.rate, rows="recordings"
        )
        parser.add_argument("--recordings", type=int, default=4500)
        parser.add_argument("--duration-s", type=int, default=8, help="of each recording")
        parser.add_argument("--keep", type=Path, help="file that holds recordings between stages")
        return parser.parse_args(arguments)

    def recordings(self, options: argparse.Namespace) -> tuple[Recordings, Recordings]:
        """What is learnt from and what is tested on, on the device."""
        learnt = _kept(options.keep)
        duration_s, n_processes = options.duration_s, options.processes
        if learnt is None:
            n_recordings = options.recordings
            learnt = recordings(options.seed, n_recordings, duration_s, n_processes)
            if options.keep:
                torch.save({f.name: getattr(learnt, f.name) for f in fields(learnt)}, options.keep)
        n_held_out = min(N_HELD_OUT, options.recordings)
        held_out = recordings(HELD_OUT_SEED, n_held_out, duration_s, n_processes)
        device = torch.device(options.device)
        return learnt.to(device), held_out.to(device)


def _kept(path: Path | None) -> Recordings | None:
    if path is None or not path.exists():
        return None
    return Recordings(**torch.load(path, mmap=True, weights_only=True))
