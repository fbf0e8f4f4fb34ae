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


def axis_code(length: int, width: int) -> Tensor:
    """Sines then cosines of integer coordinates, float32 ``[length, width]``."""
    rounded_up = -(-length // _TABLE_STEP) * _TABLE_STEP
    return _axis_table(rounded_up, width)[:length]


def position_code(target_sizes: Tensor, like: Tensor) -> Tensor:
    """Two-dimensional position codes for a padded batch ``like`` ``[B, L, D]``.

    The first half of the width codes the column, the second the row; padding is zero. Codes are
    computed in float32 and rounded once to the dtype of ``like``.
    """
    width = like.shape[2] // 2
    table = axis_code(int(target_sizes.max()), width).to(like.device, like.dtype)
    codes = torch.zeros_like(like)
    for code, (rows, columns) in zip(codes, target_sizes.tolist(), strict=True):
        grid = code[: rows * columns].view(rows, columns, 2 * width)
        grid[:, :, :width] = table[:columns]
        grid[:, :, width:] = table[:rows, None]
    return codes


class CrossAttention(nn.Module):
    """Multi-head attention with one stacked input projection, as ``nn.MultiheadAttention``."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.n_heads = width // HEAD_DIM
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """Queries ``[1, Q, D]`` over keys ``[B, L, D]``; ``mask`` is boolean ``[B, L]``."""
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
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None, None, :]
        )
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
        value = self.ln_kv(self.kv_proj(features))  # -> [B, L, D]
        key = value + position_code(target_sizes, value)
        mask = torch.arange(value.shape[1]) < target_sizes.cpu().prod(dim=1)[:, None]
        mixed = self.attn(self.ln_q(self.query)[None], key, value, mask.to(value.device))
        return self.ln_post(mixed) @ self.proj
