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
import time
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.image import TileBatch
from training.nano.forward import Rotary, hidden_states, rotary_rows, seen_from
from training.nano.model import load_for_training
from training.nano.optimisation import Optimisation, report
from training.nano.packing import NOT_LEARNT, Rows, passes, training_rows
from training.nano.picture_rows import PictureBatch, picture_rows
from training.nano.seeing import PlaceReader, patch_features, with_pictures
from training.nano.stage import Stage
from training.nano.train_text import DROPPED_SHARE, LENGTH, batch_loss

STAGE = Stage("vision", ("vpm.", "resampler.", "llm."))
LANGUAGE_RATE_SHARE = 0.25  # the language model knows its conversations already
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

    def loss(self, batch: PictureBatch, text: Rows | None, rotary: Rotary) -> Tensor:
        """What is to be lowered: for answers about pictures, places, and for answers in ``text``.

        The two kinds of answers count alike.
        """
        tiles = replace(batch.tiles, pixels=disturbed(batch.tiles))
        features = patch_features(self.model, tiles)
        self.answer_loss = answer_loss(self.model, batch, features, rotary)
        self.place_loss = self.places.loss(features, tiles, batch.cells)
        loss = self.answer_loss + PLACE_WEIGHT * self.place_loss
        if text is None:
            return loss
        return loss + batch_loss(self.model, text, rotary, dropped_share=DROPPED_SHARE)


def answer_loss(model: MiniCPMO, batch: PictureBatch, features: Tensor, rotary: Rotary) -> Tensor:
    """Mean cross-entropy over the tokens that are to be learnt."""
    rows = batch.rows
    embeddings = with_pictures(model, rows.ids, features, batch.tiles.target_sizes)
    hidden = hidden_states(model.llm.model, embeddings, seen_from(rows.segments), rotary)
    learnt = rows.targets != NOT_LEARNT
    return functional.cross_entropy(model.llm.logits(hidden[learnt]), rows.targets[learnt])


def disturbed(tiles: TileBatch) -> Tensor:
    """Pixels with the light, tint and noise of another moment; a picture looks new each time."""
    pixels = tiles.pixels
    each = (pixels.shape[0], 1, 1, 1)
    light = 1 + 0.1 * torch.randn(each, device=pixels.device)
    tint = 0.03 * torch.randn((*pixels.shape[:2], 1, 1), device=pixels.device)
    noise = 0.08 * torch.rand(each, device=pixels.device) * torch.randn_like(pixels)
    return (((pixels + 1) * light - 1) + tint + noise).clamp(-1, 1)


def main(arguments: list[str] | None = None) -> int:
    """Train; returns the exit status."""
    options = _options(arguments)
    started_s = time.monotonic()
    torch.manual_seed(options.seed)
    text = None
    if options.text_rows:
        text_seed = options.seed + 500  # other conversations than the text stage had
        text = training_rows(
            options.checkpoint, text_seed, options.text_rows, LENGTH, options.processes
        )
    seen = picture_rows(
        options.checkpoint, options.seed, options.pictures, LENGTH, options.processes
    )
    made_s = time.monotonic() - started_s
    device = torch.device(options.device)
    student = Student(load_for_training(options.checkpoint, device, STAGE.prefixes))
    rotary = rotary_rows(student.model.llm.model, LENGTH, device)
    n_seen = seen.rows.ids.shape[0]
    batches = passes(n_seen, options.steps * options.batch, options.seed).split(options.batch)
    text_order = passes(max(1, options.text_rows), options.steps * options.batch, options.seed + 1)
    text_batches = text_order.split(options.batch)

    def loss_of(step: int) -> Tensor:
        batch = seen.select(batches[step], device)
        return student.loss(batch, text and text.select(text_batches[step], device), rotary)

    shares = {"model.llm.": LANGUAGE_RATE_SHARE}
    optimisation = Optimisation(student, options.steps, options.rate, rate_shares=shares)
    report(
        **STAGE.train(options, student.model, optimisation, loss_of),
        answer_loss=round(float(student.answer_loss.detach()), 4),
        place_loss=round(float(student.place_loss.detach()), 4),
        pictures=options.pictures,
        rows=n_seen,
        making_data_s=round(made_s, 1),
        seconds=round(time.monotonic() - started_s, 1),
    )
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = STAGE.parser(steps=3000, batch=48, rate=1e-3, rows="rows of each kind")
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--text-rows", type=int, default=60_000, help="rows without a picture")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
