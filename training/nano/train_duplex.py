"""Stage 5: the model learns calls: second by second to listen, to answer, to yield.

    python -m training.nano.train_duplex CHECKPOINT --out FOLDER --steps 2500

Starts from the weights in CHECKPOINT, of the hearing stage or of an earlier run of this one, and
writes those of the audio encoder, its projector and the language model to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. Spoken and written conversations lie
among the calls, so that nothing is forgotten; those questions are spelt as in the hearing stage.
Prints one JSON line.
"""

from __future__ import annotations

import argparse
import sys

import torch

from MiniCPMO45.sessions.duplex_decision import DuplexTokens
from training.nano.call_data import CallRows
from training.nano.forward import rotary_rows
from training.nano.making import Making, prepared
from training.nano.mixed_rows import batch_of
from training.nano.model import LONGEST_CONVERSATION, load_for_training
from training.nano.optimisation import Optimisation, report
from training.nano.stage import Stage
from training.nano.train_hearing import STAGE as HEARING
from training.nano.train_hearing import Student, duration_s, held_out_scores

STAGE = Stage("duplex", HEARING.prefixes)


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    torch.manual_seed(options.seed)
    folder, length = options.checkpoint, options.length
    make_held_out = CallRows(folder, length, held_out=True)
    with (
        Making(CallRows(folder, length), options.seed, options.rows, options.processes) as making,
        Making(make_held_out, 0, options.held_out, -(-options.processes // 4)) as held_out,
    ):
        device = torch.device(options.device)
        model = load_for_training(folder, device, STAGE.prefixes)
        student = Student(model)
        rotary = rotary_rows(model.llm.model, length, device)
        with prepared(lambda: batch_of(making.take(options.batch), length, device)) as batches:
            optimisation = Optimisation.of(options, student)
            done = STAGE.train(
                options, model, optimisation, lambda: student.loss(next(batches), rotary)
            )
        scores = held_out_scores(model, held_out.everything(), length, rotary, options.batch)
    tokens = DuplexTokens(model.tokenizer)
    decisions = {"listens": tokens.listen, "speaks": tokens.speak, "ends_turns": tokens.turn_end}
    report(
        **done,
        answer_loss=round(float(student.answer_loss.detach()), 4),
        tokens_loss=round(float(student.tokens_loss.detach()), 4),
        rows=len(making.items),
        sound_s=round(sum(duration_s(row) for row in making.items)),
        held_out=scores.summary()
        | {name: scores.share_right(token) for name, token in decisions.items()},
    )
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=2500, batch=6, rate=6e-4, rows="rows")
    parser.add_argument("--rows", type=int, default=6000, help="rows of training data")
    parser.add_argument("--held-out", type=int, default=12, help="rows of the test")
    parser.add_argument("--length", type=int, default=LONGEST_CONVERSATION, help="tokens of a row")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
