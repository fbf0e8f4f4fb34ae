"""A training stage as a command: its options, its steps with the weights written now and then."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from MiniCPMO45 import MiniCPMO
from training.nano import team
from training.nano.model import save_parts
from training.nano.optimisation import Optimisation, progress, training_options


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
        training_options(parser, steps=steps, batch=batch, rate=rate, rows=rows)
        return parser

    def train(
        self,
        options: argparse.Namespace,
        model: MiniCPMO,
        optimisation: Optimisation,
        next_loss: Callable[[], Tensor],
    ) -> dict[str, Any]:
        """Run all steps and write the weights; what every stage reports of that."""
        for step in optimisation.run(next_loss):
            if options.save_every and step and step % options.save_every == 0:
                self._save(model, options.out)
        files = self._save(model, options.out)
        return {"stage": self.name, **progress(options, optimisation), "files": files}

    def _save(self, model: MiniCPMO, folder: Path) -> list[str]:
        """The names of the files; they are written by one of the processes that learn together."""
        if team.rank():
            return []
        state = {
            name: parameter
            for name, parameter in model.named_parameters()
            if name.startswith(self.prefixes)
        }
        return [path.name for path in save_parts(state, folder, self.name)]
