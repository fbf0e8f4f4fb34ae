"""Stage 4: the speech-token generator learns the codes of what the language model says.

    python -m training.nano.train_tts CHECKPOINT --out FOLDER --steps 4000

Starts from the weights in CHECKPOINT and writes those of the generator to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. The language model stays as it is.
Since its hidden states are what is spoken, this comes after all that trains it, and after the
speech tokenizer in the checkpoint's `assets/token2wav`. Prints one JSON line.
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
from training.nano.forward import rotary_rows
from training.nano.mixed_rows import made_in_processes
from training.nano.model import load_for_training, save_parts
from training.nano.optimisation import Optimisation, report
from training.nano.packing import passes
from training.nano.speech_data import SpeechData
from training.nano.speech_rows import packed_plans, plans_with_states, speech_loss

STAGE = "tts"
PREFIXES = ("tts.",)
TEXT_LENGTH = 1024  # tokens of a row of conversations
LENGTH = 512  # conditions and codes of a packed row
ROWS_AT_ONCE = 32  # of conversations


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    started_s = time.monotonic()
    torch.manual_seed(options.seed)
    make = SpeechData(options.checkpoint, TEXT_LENGTH)
    conversations = made_in_processes(make, options.seed, options.rows, options.processes)
    made_s = time.monotonic() - started_s
    device = torch.device(options.device)
    model = load_for_training(options.checkpoint, device, PREFIXES)
    plans, states = plans_with_states(model, conversations, TEXT_LENGTH, ROWS_AT_ONCE)
    rows = packed_plans(plans, LENGTH)
    rotary = rotary_rows(model.tts.model, LENGTH, device)
    n_rows = rows.codes.shape[0]
    batches = passes(n_rows, options.steps * options.batch, options.seed).split(options.batch)

    def loss_of(step: int) -> Tensor:
        return speech_loss(model.tts, rows.select(batches[step], device), states, rotary)

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
        rows=n_rows,
        turns=len(plans),
        codes=int((rows.codes >= 0).sum()),
        making_data_s=round(made_s, 1),
        seconds=round(time.monotonic() - started_s, 1),
        files=[path.name for path in files],
    )
    return 0


def _save(model: MiniCPMO, folder: Path) -> list[Path]:
    state = {name: p for name, p in model.named_parameters() if name.startswith(PREFIXES)}
    return save_parts(state, folder, STAGE)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.nano.train_tts")
    parser.add_argument("checkpoint", type=Path, help="folder to start from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=64, help=f"rows of {LENGTH} places a step")
    parser.add_argument("--rows", type=int, default=4000, help="rows of conversations")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=int, default=1000, help="steps; 0 saves at the end")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=device)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
