"""Stage 4: the speech-token generator learns the codes of what the language model says.

    python -m training.nano.train_tts CHECKPOINT --out FOLDER --steps 4000

Starts from the weights in CHECKPOINT and writes those of the generator to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. The language model stays as it is.
Since its hidden states are what is spoken, this comes after all that trains it, and after the
speech tokenizer in the checkpoint's `assets/token2wav`. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch
from torch import Tensor

from training.nano.forward import rotary_rows
from training.nano.mixed_rows import made_in_processes
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, report
from training.nano.packing import passes
from training.nano.speech_data import SpeechData
from training.nano.speech_rows import packed_plans, plans_with_states, speech_loss
from training.nano.stage import Stage

STAGE = Stage("tts", ("tts.",))
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
    model = load_for_training(options.checkpoint, device, STAGE.prefixes)
    plans, states = plans_with_states(model, conversations, TEXT_LENGTH, ROWS_AT_ONCE)
    rows = packed_plans(plans, LENGTH)
    rotary = rotary_rows(model.tts.model, LENGTH, device)
    n_rows = rows.codes.shape[0]
    batches = passes(n_rows, options.steps * options.batch, options.seed).split(options.batch)

    def loss_of(step: int) -> Tensor:
        return speech_loss(model.tts, rows.select(batches[step], device), states, rotary)

    optimisation = Optimisation(model, options.steps, options.rate)
    report(
        **STAGE.train(options, model, optimisation, loss_of),
        rows=n_rows,
        turns=len(plans),
        codes=int((rows.codes >= 0).sum()),
        making_data_s=round(made_s, 1),
        seconds=round(time.monotonic() - started_s, 1),
    )
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=4000, batch=64, rate=1e-3, rows=f"rows of {LENGTH}")
    parser.add_argument("--rows", type=int, default=4000, help="rows of conversations")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
