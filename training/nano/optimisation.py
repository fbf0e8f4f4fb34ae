"""What all stages share: the optimiser, its schedule, precision and the report."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

WARM_UP_STEPS = 200
LAST_SHARE = 0.02  # of the highest rate, at the end
REPORTS = 40  # lines on standard error in one run


@dataclass
class Optimisation:
    """AdamW over a module's trained parameters with warm-up and a cosine decay.

    ``rate_shares`` gives the parameters whose names begin so a share of the rate.
    """

    module: nn.Module
    steps: int
    peak_rate: float
    weight_decay: float = 0.05
    largest_norm: float = 1.0
    rate_shares: Mapping[str, float] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)

    def run(self, loss_of: Callable[[int], Tensor]) -> Iterator[int]:
        """One step an item, its number; ``loss_of`` computes the loss of a step."""
        groups = self._groups()
        parameters = [parameter for group in groups for parameter in group["params"]]
        device = parameters[0].device
        optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=device.type == "cuda")
        started_s = time.monotonic()
        pace = max(1, self.steps // REPORTS)
        for step in range(self.steps):
            for group in optimiser.param_groups:
                group["lr"] = self.rate(step) * group["rate_share"]
            with half_precision(device):
                loss = loss_of(step)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, self.largest_norm)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            if step % pace == 0 or step == self.steps - 1:
                self.losses.append(float(loss.detach()))
                took_s = time.monotonic() - started_s
                sys.stderr.write(f"step {step} loss {self.losses[-1]:.4f} after {took_s:.0f} s\n")
            yield step

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

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        warm_up = min(WARM_UP_STEPS, self.steps // 10 + 1)
        if step < warm_up:
            return self.peak_rate * (step + 1) / warm_up
        done = (step - warm_up) / max(1, self.steps - warm_up)
        wave = 0.5 * (1 + math.cos(math.pi * done))
        return self.peak_rate * (LAST_SHARE + (1 - LAST_SHARE) * wave)


def half_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Matrix products in bfloat16 on a GPU; float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def report(**values: Any) -> None:
    """One JSON line on standard output."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()
