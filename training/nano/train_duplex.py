"""Stage 5: the model learns calls: second by second to listen, to answer, to yield.

    python -m training.nano.train_duplex CHECKPOINT --out FOLDER --steps 2500

Starts from the weights in CHECKPOINT, of the hearing stage or of an earlier run of this one, and
writes those of the audio encoder, its projector and the language model to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. Spoken and written conversations lie
among the calls, so that nothing is forgotten. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from training.nano.call_data import CallRows
from training.nano.forward import rotary_rows
from training.nano.mixed_rows import batch_of, embedded, made_in_processes
from training.nano.model import load_for_training, save_parts
from training.nano.optimisation import Optimisation, report
from training.nano.packing import passes
from training.nano.train_hearing import PREFIXES, answer_loss, duration_s

STAGE = "duplex"


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    started_s = time.monotonic()
    torch.manual_seed(options.seed)
    make = CallRows(options.checkpoint, options.length)
    rows = made_in_processes(make, options.seed, options.rows, options.processes)
    made_s = time.monotonic() - started_s
    device = torch.device(options.device)
    model = load_for_training(options.checkpoint, device, PREFIXES)
    rotary = rotary_rows(model.llm.model, options.length, device)
    batches = passes(len(rows), options.steps * options.batch, options.seed).split(options.batch)

    def loss_of(step: int) -> Tensor:
        chosen = [rows[index] for index in batches[step].tolist()]
        batch = batch_of(chosen, options.length, device)
        embeddings, _ = embedded(model, batch, disturbed=True)
        return answer_loss(model, batch, embeddings, rotary)

    optimisation = Optimisation(model, options.steps, options.rate)
    for step in optimisation.run(loss_of):
        if options.save_every and step and step % options.save_every == 0:
            _save(model, options.out)
    files = _save(model, options.out)
    report(
        stage=STAGE,
        steps=options.steps,
        loss=round(optimisation.losses[-1], 4),
        first_loss=round(optimisation.losses[0], 4),
        rows=len(rows),
        sound_s=round(sum(duration_s(row) for row in rows)),
        making_data_s=round(made_s, 1),
        seconds=round(time.monotonic() - started_s, 1),
        files=[path.name for path in files],
    )
    return 0


def _save(model: MiniCPMO, folder: Path) -> list[Path]:
    state = {name: p for name, p in model.named_parameters() if name.startswith(PREFIXES)}
    return save_parts(state, folder, STAGE)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.nano.train_duplex")
    parser.add_argument("checkpoint", type=Path, help="folder to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch", type=int, default=16, help="rows a step")
    parser.add_argument("--rows", type=int, default=3000, help="rows of training data")
    parser.add_argument("--length", type=int, default=2048, help="tokens of a row")
    parser.add_argument("--rate", type=float, default=6e-4, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=1000, help="steps; 0 saves at the end")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=device)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
