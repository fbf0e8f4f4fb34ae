"""The eye with gradients: tiles to the rows that fill a picture's places, and what lies where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.image import ImageTensors, TileBatch, batch_slices
from MiniCPMO45.vision import PatchLayout, VisionLayer
from training.nano.scenes import COLOURS, PLACES, SHAPES, Scene

Cells = list[tuple[int, int]]
"""Shape and colour by number in each of the nine places, column by column of every row; 0 and 0
where there is nothing."""

GRID = 3
BRIGHTEST = 255


def in_bytes(image: ImageTensors) -> ImageTensors:
    """A picture as it was before it was normalised, in a quarter of the memory."""
    pixels = [((strip + 1) * (BRIGHTEST / 2)).round().byte() for strip in image.pixels]
    return replace(image, pixels=pixels)


def normalised_pixels(strips: Tensor, device: torch.device) -> Tensor:
    """Bytes on a device as the eye reads them."""
    return strips.to(device).float() / (BRIGHTEST / 2) - 1


def tiles_of(images: Sequence[ImageTensors], device: torch.device) -> TileBatch:
    """Uncut pictures in bytes on a device, in order; one that comes often is brought there once."""
    different = {id(image): image for image in images}
    numbers = {key: number for number, key in enumerate(different)}
    index = torch.tensor([numbers[id(image)] for image in images])
    tiles = batch_slices(list(different.values()))
    pixels = normalised_pixels(tiles.pixels, device)[index.to(device)]
    return TileBatch(pixels, tiles.patch_mask[index].to(device), tiles.target_sizes[index])


def disturbed(tiles: TileBatch) -> TileBatch:
    """Tiles in the light, tint and noise of another moment; a picture looks new each time."""
    pixels = tiles.pixels
    each = (pixels.shape[0], 1, 1, 1)
    light = 1 + 0.1 * torch.randn(each, device=pixels.device)
    tint = 0.03 * torch.randn((*pixels.shape[:2], 1, 1), device=pixels.device)
    noise = 0.08 * torch.rand(each, device=pixels.device) * torch.randn_like(pixels)
    return replace(tiles, pixels=(((pixels + 1) * light - 1) + tint + noise).clamp(-1, 1))


def patch_features(model: MiniCPMO, tiles: TileBatch) -> Tensor:
    """What `MiniCPMO.vpm` computes, ``[B, L, C]``; its activations on a GPU have no gradient."""
    vision = model.vpm
    hidden = vision.embeddings(tiles.pixels, tiles.target_sizes)
    layout = PatchLayout(mask=tiles.patch_mask[:, None, None])
    for layer in vision.encoder.layers:
        assert isinstance(layer, VisionLayer)
        hidden = hidden + layer.self_attn(layer.layer_norm1(hidden), layout)
        inner = layer.mlp.fc1(layer.layer_norm2(hidden))
        hidden = hidden + layer.mlp.fc2(functional.gelu(inner, approximate="tanh"))
    return vision.post_layernorm(hidden)


def with_pictures(model: MiniCPMO, ids: Tensor, features: Tensor, sizes: Tensor) -> Tensor:
    """Input rows ``[B, T, hidden]`` of ``ids`` ``[B, T]`` with the tiles in their places, in the
    order in which they stand there.

    Args:
        features: patches of all tiles ``[n, L, C]``; ``sizes`` their rows and columns ``[n, 2]``.
    """
    embeddings = model.llm.embed(ids)
    seen = model.resampler(features, sizes).flatten(0, 1).to(embeddings.dtype)
    places = (ids == model.tokenizer.unk_id)[:, :, None].expand_as(embeddings)
    return embeddings.masked_scatter(places, seen)


def cells_of(scene: Scene) -> Cells:
    """What a picture of the scene holds in its nine places."""
    cells = [(0, 0)] * GRID**2
    for figure in scene.figures:
        column, row = PLACES[figure.place]
        cells[row * GRID + column] = (
            1 + SHAPES.index(figure.shape),
            1 + COLOURS.index(figure.colour),
        )
    return cells


class PlaceReader(nn.Module):
    """A head that tells for every patch the figure of its place; thrown away after training.

    It makes out of pixels what the language model can use, much sooner than answers do.
    """

    def __init__(self, width: int, device: torch.device) -> None:
        super().__init__()
        self.shape = nn.Linear(width, 1 + len(SHAPES), device=device)
        self.colour = nn.Linear(width, 1 + len(COLOURS), device=device)

    def loss(self, features: Tensor, tiles: TileBatch, cells: Tensor) -> Tensor:
        """Mean cross-entropy over the patches of tiles with ``cells`` ``[n, 9, 2]``."""
        found = places_of_patches(tiles.target_sizes, features.shape[1]).to(cells.device)
        wanted = cells.gather(1, found[:, :, None].expand(-1, -1, 2))[tiles.patch_mask]
        patches = features[tiles.patch_mask]
        shapes, colours = wanted.unbind(dim=1)
        shape_loss = functional.cross_entropy(self.shape(patches), shapes)
        return shape_loss + functional.cross_entropy(self.colour(patches), colours)


def places_of_patches(sizes: Tensor, n_patches: int) -> Tensor:
    """The place, 0 to 8, that every patch of tiles of ``sizes`` ``[n, 2]`` lies in,
    ``[n, n_patches]``; padding gets any."""
    rows, columns = sizes[:, :1].long(), sizes[:, 1:].long()
    index = torch.arange(n_patches)
    row, column = (index // columns).minimum(rows - 1), index % columns
    return (row * GRID // rows) * GRID + column * GRID // columns
