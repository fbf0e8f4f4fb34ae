"""Stage 5: the model learns calls: second by second to listen, to answer, to yield.

    python -m training.nano.train_duplex CHECKPOINT --out FOLDER --steps 2500

Starts from the weights in CHECKPOINT, of the hearing stage or of an earlier run of this one, and
writes those of the audio encoder, its projector and the language model to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. Spoken and written conversations lie
among the calls, so that nothing is forgotten. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch
from torch import Tensor

from training.nano.call_data import CallRows
from training.nano.forward import rotary_rows
from training.nano.mixed_rows import batch_of, embedded, made_in_processes
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, report
from training.nano.packing import passes
from training.nano.stage import Stage
from training.nano.train_hearing import STAGE as HEARING
from training.nano.train_hearing import answer_loss, duration_s

STAGE = Stage("duplex", HEARING.prefixes)


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    started_s = time.monotonic()
    torch.manual_seed(options.seed)
    make = CallRows(options.checkpoint, options.length)
    rows = made_in_processes(make, options.seed, options.rows, options.processes)
    made_s = time.monotonic() - started_s
    device = torch.device(options.device)
    model = load_for_training(options.checkpoint, device, STAGE.prefixes)
    rotary = rotary_rows(model.llm.model, options.length, device)
    batches = passes(len(rows), options.steps * options.batch, options.seed).split(options.batch)

    def loss_of(step: int) -> Tensor:
        chosen = [rows[index] for index in batches[step].tolist()]
        batch = batch_of(chosen, options.length, device)
        embeddings, _ = embedded(model, batch, disturbed=True)
        return answer_loss(model, batch, embeddings, rotary)

    optimisation = Optimisation(model, options.steps, options.rate)
    report(
        **STAGE.train(options, model, optimisation, loss_of),
        rows=len(rows),
        sound_s=round(sum(duration_s(row) for row in rows)),
        making_data_s=round(made_s, 1),
        seconds=round(time.monotonic() - started_s, 1),
    )
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=2500, batch=16, rate=6e-4, rows="rows")
    parser.add_argument("--rows", type=int, default=3000, help="rows of training data")
    parser.add_argument("--length", type=int, default=2048, help="tokens of a row")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
