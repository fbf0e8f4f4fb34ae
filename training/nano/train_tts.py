"""Stage 6: the speech-token generator learns the codes of what the language model says.

    python -m training.nano.train_tts CHECKPOINT --out FOLDER --steps 4000

Starts from the weights in CHECKPOINT and writes those of the generator to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. The language model stays as it is.
Since its hidden states are what is spoken, this comes after all that trains it, and after the
speech tokenizer in the checkpoint's `assets/token2wav`. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import sys

import torch
from torch import Tensor

from training.nano.forward import rotary_rows
from training.nano.making import Making, prepared
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, half_precision, report
from training.nano.speech_data import SpeechData
from training.nano.speech_rows import (
    SpeechBatch,
    SpokenSequence,
    speech_batch,
    speech_loss,
    spoken_states,
)
from training.nano.stage import Stage

STAGE = Stage("tts", ("tts.",))
TEXT_LENGTH = 1024  # tokens of a row of conversations
LENGTH = 512  # conditions and codes of a packed row


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    torch.manual_seed(options.seed)
    make = SpeechData(options.checkpoint, TEXT_LENGTH)
    make_held_out = SpeechData(options.checkpoint, TEXT_LENGTH, held_out=True)
    with (
        Making(make, options.seed, options.rows, options.processes) as making,
        Making(make_held_out, 0, options.held_out, -(-options.processes // 4)) as held_out,
    ):
        device = torch.device(options.device)
        model = load_for_training(options.checkpoint, device, STAGE.prefixes)
        text_rotary = rotary_rows(model.llm.model, TEXT_LENGTH, device)
        rotary = rotary_rows(model.tts.model, LENGTH, device)

        def batch(rows: list[list[SpokenSequence]]) -> SpeechBatch:
            return speech_batch(rows, TEXT_LENGTH, LENGTH, device)

        def loss_of(spoken: SpeechBatch) -> Tensor:
            states = spoken_states(model, spoken, text_rotary)
            return speech_loss(model.tts, spoken.rows, states, rotary)

        with prepared(lambda: batch(making.take(options.batch))) as batches:
            optimisation = Optimisation.of(options, model)
            done = STAGE.train(options, model, optimisation, lambda: loss_of(next(batches)))
        test = batch(held_out.everything())
        with torch.no_grad(), half_precision(device):
            held_out_loss = float(loss_of(test))
    report(
        **done,
        rows=len(making.items),
        turns=sum(len(sequence.plans) for row in making.items for sequence in row),
        held_out={"loss": round(held_out_loss, 4)},
    )
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=4000, batch=32, rate=1e-3, rows=f"rows of {TEXT_LENGTH}")
    parser.add_argument("--rows", type=int, default=12_000, help="rows of conversations")
    parser.add_argument("--held-out", type=int, default=16, help="rows of the test")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
