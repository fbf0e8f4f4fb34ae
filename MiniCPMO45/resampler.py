"""Cross-attention from learned queries to the patches of a tile: any grid to 64 rows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.configuration import MiniCPMOConfig

HEAD_DIM = 128
LAYER_NORM_EPS = 1e-6
_TABLE_STEP = 70


@lru_cache(maxsize=4)
def _axis_table(length: int, width: int) -> Tensor:
    frequencies = 1.0 / np.float32(10000.0) ** (
        np.arange(width // 2, dtype=np.float32) / np.float32(width / 2)
    )
    angles = np.arange(length, dtype=np.float32)[:, None] * frequencies
    return torch.from_numpy(np.concatenate([np.sin(angles), np.cos(angles)], axis=1))


def code_table(longest: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Codes of at least ``longest`` coordinates and, last, the zeros of padding,
    ``[coordinates + 1, width]``. They are computed in float32 and rounded once."""
    length = -(-longest // _TABLE_STEP) * _TABLE_STEP
    return _code_table(length, width, device, dtype)


@lru_cache(maxsize=4)
def _code_table(length: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    return functional.pad(_axis_table(length, width), (0, 0, 0, 1)).to(device, dtype)


def grid_places(target_sizes: Tensor, n_patches: int, device: torch.device) -> Tensor:
    """Column and row of every patch of a padded batch, int64 ``[B, n_patches, 2]``; -1 is
    padding."""
    return torch.stack([_tile_places(*size, n_patches, device) for size in target_sizes.tolist()])


@lru_cache(maxsize=256)
def _tile_places(rows: int, columns: int, n_patches: int, device: torch.device) -> Tensor:
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).flip(1)
    padding = (0, 0, 0, n_patches - rows * columns)
    return functional.pad(places, padding, value=-1).to(device)


def position_code(places: Tensor, table: Tensor) -> Tensor:
    """Two-dimensional codes ``[B, L, 2 * width]`` of the places of :func:`grid_places`: the first
    half codes the column, the second the row; padding is zero."""
    return table[places].flatten(2)


class CrossAttention(nn.Module):
    """Multi-head attention with one stacked input projection, as ``nn.MultiheadAttention``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.n_heads = width // HEAD_DIM
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Queries ``[1, Q, D]`` over keys ``[B, L, D]`` with ``mask`` ``[B, 1, 1, L]``: which keys
        are seen, or what is added to their scores."""
        projections = zip(
            (query, key, value),
            self.in_proj_weight.chunk(3),
            self.in_proj_bias.chunk(3),
            strict=True,
        )
        query, key, value = (
            # -> [B, heads, length, HEAD_DIM]
            functional.linear(part, weight, bias)
            .unflatten(-1, (self.n_heads, HEAD_DIM))
            .transpose(1, 2)
            for part, weight, bias in projections
        )
        query = query.expand(key.shape[0], -1, -1, -1)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Resampler(nn.Module):
    """Patch features to ``query_num`` rows of the language model's width."""

    def __init__(self, config: MiniCPMOConfig) -> None:
        super().__init__()
        width, vision_width = config.hidden_size, config.vision_config.hidden_size
        self.query = nn.Parameter(torch.empty(config.query_num, width))
        self.proj = nn.Parameter(torch.empty(width, width))
        self.kv_proj = (
            nn.Identity() if vision_width == width else nn.Linear(vision_width, width, bias=False)
        )
        self.attn = CrossAttention(width)
        self.ln_q = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.ln_kv = nn.LayerNorm(width, eps=LAYER_NORM_EPS)
        self.ln_post = nn.LayerNorm(width, eps=LAYER_NORM_EPS)

    def forward(self, features: Tensor, target_sizes: Tensor) -> Tensor:
        """``[B, L, C]`` of tiles with ``target_sizes`` ``[B, 2]`` to ``[B, query_num, D]``."""
        n_patches = features.shape[1]
        mask = torch.arange(n_patches) < target_sizes.cpu().prod(dim=1)[:, None]
        seen = None if bool(mask.all()) else mask[:, None, None].to(features.device)
        places = grid_places(target_sizes, n_patches, features.device)
        return self.resample(features, places, self.codes(int(target_sizes.max())), seen)

    def codes(self, longest: int) -> Tensor:
        """The table of codes for tiles of up to ``longest`` rows and columns."""
        return code_table(longest, self.proj.shape[0] // 2, self.proj.device, self.proj.dtype)

    def resample(
        self, features: Tensor, places: Tensor, table: Tensor, mask: Tensor | None
    ) -> Tensor:
        """The same with places and the table that they point into."""
        value = self.ln_kv(self.kv_proj(features))  # -> [B, L, D]
        key = value + position_code(places, table)
        mixed = self.attn(self.ln_q(self.query)[None], key, value, mask)
        return self.ln_post(mixed) @ self.proj
