"""Stage 1: the language model learns the conversations.

    python -m training.nano.train_text CHECKPOINT --out FOLDER --steps 6000

Starts from the weights in CHECKPOINT, untrained or exported from an earlier run, and writes the
language model's weights to FOLDER now and then; `training.nano.model --weights` lays them over the
checkpoint. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import sys

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from training.nano.dialogues import evaluation_dialogues
from training.nano.forward import Rotary, answer_loss, hidden_states, rotary_rows, seen_from
from training.nano.held_out import HeldOut
from training.nano.making import Making, prepared
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, half_precision, report
from training.nano.packing import Rows, Table, TextRows, held_out_tables
from training.nano.rendering import Renderer
from training.nano.stage import Stage

STAGE = Stage("text", ("llm.",))
LENGTH = 512  # tokens of a packed row
DROPPED_SHARE = 0.1  # of what each layer adds; against learning templates by heart
WEIGHT_DECAY = 0.1


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    torch.manual_seed(options.seed)
    make = TextRows(options.checkpoint, LENGTH)
    with Making(make, options.seed, options.rows, options.processes) as making:
        device = torch.device(options.device)
        model = load_for_training(options.checkpoint, device, STAGE.prefixes)
        rotary = rotary_rows(model.llm.model, LENGTH, device)
        with prepared(lambda: Rows.of(making.take(options.batch), device)) as batches:

            def next_loss() -> Tensor:
                return batch_loss(model, next(batches), rotary, dropped_share=DROPPED_SHARE)

            optimisation = Optimisation.of(options, model, weight_decay=WEIGHT_DECAY)
            done = STAGE.train(options, model, optimisation, next_loss)
    renderer = Renderer(options.checkpoint)
    tables = held_out_tables(renderer, evaluation_dialogues(options.held_out), LENGTH)
    scores = held_out_scores(model, tables, rotary, device)
    report(**done, rows=len(making.items), held_out=scores.summary())
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
    return answer_loss(model, hidden, rows)


@torch.no_grad()
def held_out_scores(
    model: MiniCPMO, tables: list[Table], rotary: Rotary, device: torch.device
) -> HeldOut:
    """How held-out conversations are answered."""
    scores = HeldOut()
    for first in range(0, len(tables), 16):
        rows = Rows.of(tables[first : first + 16], device)
        with half_precision(device):
            embeddings = model.llm.embed(rows.ids)
            mask = seen_from(rows.segments)
            hidden = hidden_states(model.llm.model, embeddings, mask, rotary)
            scores.note(model, hidden, rows.targets)
    return scores


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=6000, batch=96, rate=1.5e-3, rows=f"rows of {LENGTH}")
    parser.add_argument("--rows", type=int, default=250_000, help="rows of training data")
    parser.add_argument("--held-out", type=int, default=8, help="conversations of every skill")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
