"""Stage 2: the eye is trained, and the language model learns to answer about what it shows.

    python -m training.nano.train_vision CHECKPOINT --out FOLDER --steps 3000

Starts from the weights in CHECKPOINT, of the text stage or of an earlier run of this one, and
writes those of the vision transformer, the resampler and the language model to FOLDER now and
then; `training.nano.model --weights` lays them over the checkpoint. Prints one JSON line.

Beside the answers, a head that is thrown away names the figure of every patch. Half of the rows are
conversations without a picture, so that those are not forgotten.
"""

from __future__ import annotations

import argparse
import sys

import torch
from torch import Tensor, nn

from MiniCPMO45 import MiniCPMO
from training.nano.forward import Rotary, answer_loss, hidden_states, rotary_rows, seen_from
from training.nano.held_out import HeldOut
from training.nano.making import Making, prepared
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, half_precision, report
from training.nano.packing import Rows, TextRows
from training.nano.picture_rows import PictureBatch, PictureRow, PictureRows
from training.nano.seeing import PlaceReader, disturbed, patch_features, with_pictures
from training.nano.stage import Stage
from training.nano.train_text import DROPPED_SHARE, LENGTH, batch_loss

STAGE = Stage("vision", ("vpm.", "resampler.", "llm."))
LANGUAGE_RATE_SHARE = 0.5  # the language model knows its conversations already
PLACE_WEIGHT = 0.3


class Student(nn.Module):
    """The model with the head that names places.

    Attributes:
        answer_loss, place_loss: of the last batch.
    """

    def __init__(self, model: MiniCPMO) -> None:
        super().__init__()
        self.model = model
        width = model.config.vision_config.hidden_size
        self.places = PlaceReader(width, model.resampler.proj.device)
        self.answer_loss = self.place_loss = torch.zeros(())

    def loss(self, batch: PictureBatch, text: Rows, rotary: Rotary) -> Tensor:
        """What is to be lowered: for answers about pictures, places, and for answers in ``text``.

        The two kinds of answers count alike.
        """
        tiles = disturbed(batch.tiles)
        features = patch_features(self.model, tiles)
        hidden = picture_states(self.model, batch, features, rotary)
        self.answer_loss = answer_loss(self.model, hidden, batch.rows)
        self.place_loss = self.places.loss(features, tiles, batch.cells)
        text_loss = batch_loss(self.model, text, rotary, dropped_share=DROPPED_SHARE)
        return self.answer_loss + PLACE_WEIGHT * self.place_loss + text_loss


def picture_states(
    model: MiniCPMO, batch: PictureBatch, features: Tensor, rotary: Rotary
) -> Tensor:
    """Final hidden states ``[B, T, hidden]`` of rows about pictures with these features."""
    rows = batch.rows
    embeddings = with_pictures(model, rows.ids, features, batch.tiles.target_sizes)
    return hidden_states(model.llm.model, embeddings, seen_from(rows.segments), rotary)


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    torch.manual_seed(options.seed)
    folder, n_processes = options.checkpoint, options.processes
    text_seed = options.seed + 500  # other conversations than the text stage had
    make_held_out = PictureRows(folder, LENGTH, held_out=True)
    n_for_text = -(-n_processes // 4)  # pictures take longer
    with (
        Making(PictureRows(folder, LENGTH), options.seed, options.rows, n_processes) as making,
        Making(TextRows(folder, LENGTH), text_seed, options.text_rows, n_for_text) as text,
        Making(make_held_out, 0, options.held_out, n_for_text) as held_out,
    ):
        device = torch.device(options.device)
        student = Student(load_for_training(folder, device, STAGE.prefixes))
        rotary = rotary_rows(student.model.llm.model, LENGTH, device)

        def batch() -> tuple[PictureBatch, Rows]:
            seen, written = making.take(options.batch), text.take(options.batch)
            return PictureBatch.of(seen, device), Rows.of(written, device)

        shares = {"model.llm.": LANGUAGE_RATE_SHARE}
        with prepared(batch) as batches:
            optimisation = Optimisation.of(options, student, rate_shares=shares)
            done = STAGE.train(
                options, student.model, optimisation, lambda: student.loss(*next(batches), rotary)
            )
        scores = held_out_scores(student.model, held_out.everything(), rotary, device)
    report(
        **done,
        answer_loss=round(float(student.answer_loss.detach()), 4),
        place_loss=round(float(student.place_loss.detach()), 4),
        pictures=sum(len(row.images) for row in making.items),
        held_out=scores.summary(),
    )
    return 0


@torch.no_grad()
def held_out_scores(
    model: MiniCPMO, rows: list[PictureRow], rotary: Rotary, device: torch.device
) -> HeldOut:
    """How held-out questions about held-out pictures are answered."""
    scores = HeldOut()
    for first in range(0, len(rows), 8):
        batch = PictureBatch.of(rows[first : first + 8], device)
        with half_precision(device):
            features = patch_features(model, batch.tiles)
            scores.note(model, picture_states(model, batch, features, rotary), batch.rows.targets)
    return scores


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=3000, batch=48, rate=1e-3, rows="rows of each kind")
    parser.add_argument("--rows", type=int, default=40_000, help="rows about pictures")
    parser.add_argument("--text-rows", type=int, default=60_000, help="rows without a picture")
    parser.add_argument("--held-out", type=int, default=40, help="rows of the test")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
