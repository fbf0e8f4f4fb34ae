"""Stage 4: the ear is trained, and the language model learns to answer what it hears.

    python -m training.nano.train_hearing CHECKPOINT --out FOLDER --steps 3000

Starts from the weights in CHECKPOINT, of the text stage or of an earlier run of this one, and
writes those of the audio encoder, its projector and the language model to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. Prints one JSON line.

Beside the answers, the ear goes on to spell what is said, see `Speller`.
"""

from __future__ import annotations

import argparse
import sys

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.mel import FRAMES_PER_SECOND
from training.nano.forward import Rotary, answer_loss, hidden_states, rotary_rows, seen_from
from training.nano.held_out import HeldOut
from training.nano.making import Making, prepared
from training.nano.mixed_rows import MixedBatch, PackedRow, batch_of, embedded
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, half_precision, report
from training.nano.spelling import Speller
from training.nano.spoken_data import SpokenRows
from training.nano.stage import Stage

STAGE = Stage("hearing", ("apm.", "audio_projection_layer.", "llm."))
LENGTH = 512  # tokens of a packed row
SPELLING_WEIGHT = 0.2
LANGUAGE_RATE_SHARE = 0.25  # the language model knows its conversations already


class Student(Speller):
    """The model, learning to spell and to answer.

    Attributes:
        answer_loss: of the last batch.
    """

    answer_loss = torch.zeros(())

    def loss(self, batch: MixedBatch, rotary: Rotary) -> Tensor:
        """Mean cross-entropy of the answers and, weighted, the loss of the spelling."""
        embeddings, ear = embedded(self.model, batch, disturbed=True)
        self.answer_loss = row_loss(self.model, batch, embeddings, rotary)
        if ear is None:
            return self.answer_loss
        return self.answer_loss + SPELLING_WEIGHT * self.spelling_loss(ear, batch.clips)


def row_loss(model: MiniCPMO, batch: MixedBatch, embeddings: Tensor, rotary: Rotary) -> Tensor:
    """The loss of the answers in rows of these input rows ``[B, T, hidden]``."""
    mask = seen_from(batch.rows.segments)
    hidden = hidden_states(model.llm.model, embeddings, mask, rotary)
    return answer_loss(model, hidden, batch.rows)


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    torch.manual_seed(options.seed)
    make = SpokenRows(options.checkpoint, LENGTH)
    make_held_out = SpokenRows(options.checkpoint, LENGTH, held_out=True)
    with (
        Making(make, options.seed, options.rows, options.processes) as making,
        Making(make_held_out, 0, options.held_out, -(-options.processes // 4)) as held_out,
    ):
        device = torch.device(options.device)
        student = Student(load_for_training(options.checkpoint, device, STAGE.prefixes))
        rotary = rotary_rows(student.model.llm.model, LENGTH, device)
        shares = {"model.llm.": LANGUAGE_RATE_SHARE}
        with prepared(lambda: batch_of(making.take(options.batch), LENGTH, device)) as batches:
            optimisation = Optimisation.of(options, student, rate_shares=shares)
            done = STAGE.train(
                options, student.model, optimisation, lambda: student.loss(next(batches), rotary)
            )
        scores = held_out_scores(student.model, held_out.everything(), LENGTH, rotary)
    report(
        **done,
        answer_loss=round(float(student.answer_loss.detach()), 4),
        tokens_loss=round(float(student.tokens_loss.detach()), 4),
        rows=len(making.items),
        sound_s=round(sum(duration_s(row) for row in making.items)),
        held_out=scores.summary(),
    )
    return 0


@torch.no_grad()
def held_out_scores(
    model: MiniCPMO, rows: list[PackedRow], length: int, rotary: Rotary, n_at_once: int = 8
) -> HeldOut:
    """How held-out conversations are answered."""
    scores = HeldOut()
    for first in range(0, len(rows), n_at_once):
        batch = batch_of(rows[first : first + n_at_once], length, model.device)
        with half_precision(model.device):
            embeddings, _ = embedded(model, batch)
            mask = seen_from(batch.rows.segments)
            hidden = hidden_states(model.llm.model, embeddings, mask, rotary)
            scores.note(model, hidden, batch.rows.targets)
    return scores


def duration_s(row: PackedRow) -> float:
    """How much sound a row holds."""
    clips = [clip for sequence in row for clip in sequence.clips]
    return sum(len(piece) for clip in clips for piece in clip.pieces) / FRAMES_PER_SECOND


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=3000, batch=32, rate=1e-3, rows=f"rows of {LENGTH}")
    parser.add_argument("--rows", type=int, default=30_000, help="rows of training data")
    parser.add_argument("--held-out", type=int, default=48, help="rows of the test")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
