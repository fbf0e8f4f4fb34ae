"""What all stages share: the optimiser, its schedule, precision and the report."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn

from training.nano import team

WARM_UP_SHARE = 0.05  # of all steps, or of the time
FIRST_SHARE = 0.04  # of the highest rate, at the beginning
LAST_SHARE = 0.02  # of the highest rate, at the end
REPORTS = 40  # losses noted in one run
ENDING_SHARE, ENDING_S = 0.12, 25.0  # at most, of a stage's time for writing weights and scores


@dataclass
class Optimisation:
    """AdamW over a module's trained parameters with warm-up and a cosine decay.

    Args:
        duration_s: how long to go on, in place of the number of steps.
        rate_shares: of the rate, for parameters whose names begin so.
        losses: noted now and then, the last one at the end; ``n_steps`` were made.
    """

    module: nn.Module
    steps: int
    peak_rate: float
    weight_decay: float = 0.05
    largest_norm: float = 1.0
    rate_shares: Mapping[str, float] = field(default_factory=dict)
    duration_s: float | None = None
    losses: list[float] = field(default_factory=list)
    n_steps: int = 0

    @classmethod
    def of(cls, options: argparse.Namespace, module: nn.Module, **settings: Any) -> Optimisation:
        """As the options of a stage say, see `training_options`."""
        duration_s = None
        if options.minutes is not None:
            used_s = time.monotonic() - options.started_s
            whole_s = options.minutes * 60
            duration_s = whole_s - min(ENDING_S, ENDING_SHARE * whole_s) - used_s
        return cls(module, options.steps, options.rate, duration_s=duration_s, **settings)

    def run(self, next_loss: Callable[[], Tensor]) -> Iterator[int]:
        """One step an item, its number; ``next_loss`` computes the loss of a new batch.

        Processes that were started together learn from the batches of all of them.
        """
        with team.joined(self.module):
            yield from self._run(next_loss)

    def _run(self, next_loss: Callable[[], Tensor]) -> Iterator[int]:
        groups = self._groups()
        parameters = [parameter for group in groups for parameter in group["params"]]
        device = parameters[0].device
        optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=device.type == "cuda")
        started_s = time.monotonic()
        loss, noted = torch.zeros(()), 0
        for step in count():
            done = team.furthest(self._share_done(step, time.monotonic() - started_s))
            if step and done >= 1:
                break
            for group in optimiser.param_groups:
                group["lr"] = self.rate(done) * group["rate_share"]
            with half_precision(device):
                loss = next_loss()
            loss.backward()
            team.average_gradients(parameters)
            nn.utils.clip_grad_norm_(parameters, self.largest_norm)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            self.n_steps = step + 1
            if done * REPORTS >= len(self.losses):
                self.losses.append(float(loss.detach()))
                noted = self.n_steps
                took_s = time.monotonic() - started_s
                if team.rank() == 0:
                    loss_so_far = f"step {step} loss {self.losses[-1]:.4f} after {took_s:.0f} s\n"
                    sys.stderr.write(loss_so_far)
            yield step
        if noted < self.n_steps:
            self.losses.append(float(loss.detach()))

    def rate(self, done: float) -> float:
        """The learning rate when a share of the work is done."""
        if done < WARM_UP_SHARE:
            return self.peak_rate * max(FIRST_SHARE, done / WARM_UP_SHARE)
        wave = 0.5 * (1 + math.cos(math.pi * (done - WARM_UP_SHARE) / (1 - WARM_UP_SHARE)))
        return self.peak_rate * (LAST_SHARE + (1 - LAST_SHARE) * wave)

    def _share_done(self, step: int, elapsed_s: float) -> float:
        if self.duration_s is None:
            return (step + 0.5) / self.steps
        return elapsed_s / self.duration_s if self.duration_s > 0 else 1.0

    def _groups(self) -> list[dict[str, Any]]:
        """The parameters by their share of the rate and whether they decay."""
        groups: dict[tuple[float, float], list[nn.Parameter]] = {}
        for name, parameter in self.module.named_parameters():
            if parameter.requires_grad:
                shares = (s for prefix, s in self.rate_shares.items() if name.startswith(prefix))
                decay = self.weight_decay if parameter.ndim > 1 else 0.0
                groups.setdefault((next(shares, 1.0), decay), []).append(parameter)
        return [
            {"params": parameters, "rate_share": share, "weight_decay": decay}
            for (share, decay), parameters in groups.items()
        ]


def training_options(
    parser: argparse.ArgumentParser, *, steps: int, batch: int, rate: float, rows: str
) -> None:
    """The options of every stage, with one stage's defaults."""
    parser.set_defaults(started_s=time.monotonic())
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument(
        "--minutes", type=float, help="end after this time, data and scores included, not by steps"
    )
    parser.add_argument("--batch", type=int, default=batch, help=f"{rows} a step and GPU")
    parser.add_argument("--rate", type=float, default=rate, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=1000, help="steps; 0 saves at the end")
    n_cores = os.cpu_count() or 1
    parser.add_argument("--processes", type=int, default=max(1, n_cores // team.size()))
    parser.add_argument("--device", default=team.own_device())


def progress(options: argparse.Namespace, optimisation: Optimisation) -> dict[str, Any]:
    """What every stage reports of its training."""
    losses = [round(loss, 4) for loss in optimisation.losses]
    seconds = round(time.monotonic() - options.started_s, 1)
    first = {"steps": optimisation.n_steps, "seconds": seconds}
    return {**first, "first_loss": losses[0], "loss": losses[-1], "losses": losses}


def half_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Matrix products in bfloat16 on a GPU; float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def report(**values: Any) -> None:
    """One JSON line on standard output, of the first process of those that learn together."""
    if team.rank() == 0:
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()
