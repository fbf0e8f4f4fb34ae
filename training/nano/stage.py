"""A training stage as a command: its options, its steps with the weights written now and then."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from training.nano.model import save_parts
from training.nano.optimisation import Optimisation


@dataclass(frozen=True)
class Stage:
    """A stage trains, and exports, the weights whose names begin with one of ``prefixes``."""

    name: str
    prefixes: tuple[str, ...]

    def parser(self, *, steps: int, batch: int, rate: float, rows: str) -> argparse.ArgumentParser:
        """The options of every stage, with this one's defaults."""
        parser = argparse.ArgumentParser(prog=f"python -m training.nano.train_{self.name}")
        parser.add_argument("checkpoint", type=Path, help="folder to start from")
        parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
        parser.add_argument("--steps", type=int, default=steps)
        parser.add_argument("--batch", type=int, default=batch, help=f"{rows} a step")
        parser.add_argument("--rate", type=float, default=rate, help="highest learning rate")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--save-every", type=int, default=1000, help="steps; 0 saves at the end"
        )
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        parser.add_argument("--device", default=device)
        return parser

    def train(
        self,
        options: argparse.Namespace,
        model: MiniCPMO,
        optimisation: Optimisation,
        loss_of: Callable[[int], Tensor],
    ) -> dict[str, Any]:
        """Run all steps and write the weights; what every stage reports of that."""
        for step in optimisation.run(loss_of):
            if options.save_every and step and step % options.save_every == 0:
                self._save(model, options.out)
        return {
            "stage": self.name,
            "steps": options.steps,
            "loss": round(optimisation.losses[-1], 4),
            "first_loss": round(optimisation.losses[0], 4),
            "files": [path.name for path in self._save(model, options.out)],
        }

    def _save(self, model: MiniCPMO, folder: Path) -> list[Path]:
        state = {
            name: parameter
            for name, parameter in model.named_parameters()
            if name.startswith(self.prefixes)
        }
        return save_parts(state, folder, self.name)
