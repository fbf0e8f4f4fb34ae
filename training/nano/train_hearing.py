"""Stage 3: the ear is trained, and the language model learns to answer what it hears.

    python -m training.nano.train_hearing CHECKPOINT --out FOLDER --steps 3000

Starts from the weights in CHECKPOINT, of the text stage or of an earlier run of this one, and
writes those of the audio encoder, its projector and the language model to FOLDER now and then;
`training.nano.model --weights` lays them over the checkpoint. Prints one JSON line.

Beside the answers, the encoder spells what is said (CTC, Graves et al. 2006) with a head that is
thrown away: it makes out of sounds what the language model can use, much sooner than answers do.
"""

from __future__ import annotations

import argparse
import sys
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.mel import FRAMES_PER_SECOND
from training.nano.ear_batch import Heard
from training.nano.forward import Rotary, answer_loss, hidden_states, rotary_rows, seen_from
from training.nano.hearing import Clip
from training.nano.held_out import HeldOut
from training.nano.making import Making, prepared
from training.nano.mixed_rows import MixedBatch, PackedRow, batch_of, embedded
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, half_precision, report
from training.nano.saying import transcript
from training.nano.spoken_data import SpokenRows
from training.nano.stage import Stage

STAGE = Stage("hearing", ("apm.", "audio_projection_layer.", "llm."))
LENGTH = 512  # tokens of a packed row
N_SPELLINGS = 257  # nothing, and the bytes of what is said
SPELLING_WEIGHT = 0.5
LANGUAGE_RATE_SHARE = 0.25  # the language model knows its conversations already


class Student(nn.Module):
    """The model with the head that spells.

    Attributes:
        answer_loss, spelling_loss: of the last batch.
    """

    def __init__(self, model: MiniCPMO) -> None:
        super().__init__()
        self.model = model
        device = model.apm.conv1.weight.device
        self.spelling = nn.Linear(model.config.audio_config.d_model, N_SPELLINGS, device=device)
        self.answer_loss = self.spelling_loss = torch.zeros(())

    def loss(self, batch: MixedBatch, rotary: Rotary) -> Tensor:
        """Mean cross-entropy of the answers and, weighted, the loss of the spelling."""
        embeddings, ear = embedded(self.model, batch, disturbed=True)
        self.answer_loss = row_loss(self.model, batch, embeddings, rotary)
        self.spelling_loss = self._spelling_loss(batch.clips, ear)
        return self.answer_loss + SPELLING_WEIGHT * self.spelling_loss

    def _spelling_loss(self, clips: list[Clip], ear: Heard | None) -> Tensor:
        spoken = [number for number, clip in enumerate(clips) if clip.text]
        if ear is None or not spoken:
            return self.spelling.weight.new_zeros(())
        frames = ear.side_by_side(spoken)  # [T, clips, d]
        spelt = [list(transcript(clips[number].text or "").encode()) for number in spoken]
        return functional.ctc_loss(
            self.spelling(frames).float().log_softmax(-1),
            torch.tensor(list(chain.from_iterable(spelt)), device=frames.device) + 1,
            torch.tensor([len(ear.frames[number]) for number in spoken]),
            torch.tensor([len(letters) for letters in spelt]),
            zero_infinity=True,
        )


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
        spelling_loss=round(float(student.spelling_loss.detach()), 4),
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
