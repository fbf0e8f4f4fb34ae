"""Stage 1: the language model learns the conversations.

    python -m training.nano.train_text CHECKPOINT --out FOLDER --steps 6000

Starts from the weights in CHECKPOINT, untrained or exported from an earlier run, and writes the
language model's weights to FOLDER now and then; `training.nano.model --weights` lays them over the
checkpoint. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from training.nano.dialogues import evaluation_dialogues
from training.nano.forward import Rotary, hidden_states, rotary_rows, seen_from
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, half_precision, report
from training.nano.packing import NOT_LEARNT, Rows, evaluation_rows, passes, training_rows
from training.nano.rendering import Renderer
from training.nano.stage import Stage

STAGE = Stage("text", ("llm.",))
LENGTH = 512  # tokens of a packed row
DROPPED_SHARE = 0.1  # of what each layer adds; against learning templates by heart
WEIGHT_DECAY = 0.1


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    started_s = time.monotonic()
    torch.manual_seed(options.seed)
    rows = training_rows(options.checkpoint, options.seed, options.rows, LENGTH, options.processes)
    made_s = time.monotonic() - started_s
    device = torch.device(options.device)
    model = load_for_training(options.checkpoint, device, STAGE.prefixes)
    renderer = Renderer(options.checkpoint)
    held_out = evaluation_rows(renderer, evaluation_dialogues(), LENGTH)
    rotary = rotary_rows(model.llm.model, LENGTH, device)
    order = passes(options.rows, options.steps * options.batch, options.seed)
    batches = order.split(options.batch)

    def loss_of(step: int) -> Tensor:
        batch = rows.select(batches[step], device)
        return batch_loss(model, batch, rotary, dropped_share=DROPPED_SHARE)

    optimisation = Optimisation(model, options.steps, options.rate, WEIGHT_DECAY)
    report(
        **STAGE.train(options, model, optimisation, loss_of),
        held_out_loss=round(_held_out_loss(model, held_out, rotary, device), 4),
        rows=options.rows,
        learnt_tokens=int((rows.targets != NOT_LEARNT).sum()),
        making_data_s=round(made_s, 1),
        seconds=round(time.monotonic() - started_s, 1),
    )
    return 0


def batch_loss(
    model: MiniCPMO, rows: Rows, rotary: Rotary, *, dropped_share: float = 0.0
) -> Tensor:
    """Mean cross-entropy over the tokens that are to be learnt."""
    hidden = hidden_states(
        model.llm.model,
        model.llm.embed(rows.ids),
        seen_from(rows.segments),
        rotary,
        dropped_share=dropped_share,
    )
    learnt = rows.targets != NOT_LEARNT
    return functional.cross_entropy(model.llm.logits(hidden[learnt]), rows.targets[learnt])


@torch.no_grad()
def _held_out_loss(model: MiniCPMO, rows: Rows, rotary: Rotary, device: torch.device) -> float:
    with half_precision(device):
        parts = torch.arange(rows.ids.shape[0]).split(16)
        losses = [float(batch_loss(model, rows.select(part, device), rotary)) for part in parts]
    return sum(losses) / len(losses)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=6000, batch=96, rate=1.5e-3, rows=f"rows of {LENGTH}")
    parser.add_argument("--rows", type=int, default=250_000, help="rows of training data")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
