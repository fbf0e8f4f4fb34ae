"""SigLIP vision transformer (arXiv:2303.15343) over tiles of any patch grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.attention import AttentionBackend
from MiniCPMO45.configuration import VisionConfig
from MiniCPMO45.resampler import Resampler

__all__ = ["Resampler", "VisionTransformer", "axis_buckets", "position_ids"]


@lru_cache(maxsize=256)
def axis_buckets(n_patches: int, n_positions: int) -> Tensor:
    """Row (or column) of the position table for each of ``n_patches`` patches, int64.

    Mathematically ``floor(i * n_positions / n_patches)``. The published code rounds to float32 on
    the way, which puts some patches one lower, and the weights were trained with that. Its
    coordinates come in runs of eight (one vector register): the start of a run is rounded before
    the steps within the run are added.
    """
    edges = (np.arange(1, n_positions) / n_positions).astype(np.float32)
    step = np.float64(np.float32(1) / np.float32(n_patches))
    run, lane = np.divmod(np.arange(n_patches), 8)
    run_starts = (run * 8 * step).astype(np.float32)
    coordinates = (run_starts + lane * step).astype(np.float32)
    return torch.from_numpy(np.searchsorted(edges, coordinates, side="right").astype(np.int64))


def position_ids(target_sizes: Tensor, n_patches: int, n_positions: int) -> Tensor:
    """Position-table rows of a padded batch, int64 ``[B, n_patches]``; padding gets row 0.

    Args:
        target_sizes: patch rows and columns of each tile ``[B, 2]``.
    """
    ids = torch.zeros(target_sizes.shape[0], n_patches, dtype=torch.int64)
    for row_of_batch, (rows, columns) in zip(ids, target_sizes.tolist(), strict=True):
        vertical = axis_buckets(rows, n_positions)[:, None] * n_positions
        row_of_batch[: rows * columns] = (vertical + axis_buckets(columns, n_positions)).flatten()
    return ids


@dataclass(frozen=True)
class PatchLayout:
    """How the patches of a batch lie in memory, for attention.

    ``mask`` is boolean ``[B, 1, 1, Lmax]`` over keys, None when nothing is padded. For
    FlashAttention the tiles are packed end to end instead: ``offsets`` is int32 ``[B + 1]`` and
    ``longest`` the patches of the largest tile.
    """

    mask: Tensor | None = None
    offsets: Tensor | None = None
    longest: int = 0


class VisionEmbeddings(nn.Module):
    """Patch projection plus learned positions on a square table."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.n_positions = config.image_size // config.patch_size
        self.patch_embedding = nn.Conv2d(
            config.num_channels, config.hidden_size, config.patch_size, stride=config.patch_size
        )
        self.position_embedding = nn.Embedding(self.n_positions**2, config.hidden_size)

    def forward(self, pixels: Tensor, target_sizes: Tensor) -> Tensor:
        """Strips ``[B, 3, patch, patch * L]`` to ``[B, L, C]``."""
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)  # -> [B, L, C]
        ids = position_ids(target_sizes, patches.shape[1], self.n_positions)
        return patches + self.position_embedding(ids.to(patches.device))


class VisionAttention(nn.Module):
    """Bidirectional multi-head attention among the patches of one tile."""

    def __init__(self, config: VisionConfig, backend: AttentionBackend) -> None:
        super().__init__()
        width = config.hidden_size
        self.backend = backend
        self.n_heads = config.num_attention_heads
        self.head_dim = width // self.n_heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, hidden: Tensor, layout: PatchLayout) -> Tensor:
        """``[..., L, C]`` to the same; packed input has no batch axis."""
        split = (*hidden.shape[:-1], self.n_heads, self.head_dim)
        query, key, value = (
            projection(hidden).view(split) for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        if self.backend == "flash_attention_2":
            mixed = _attend_packed(query, key, value, layout)
        else:
            query, key, value = (part.transpose(1, 2) for part in (query, key, value))
            attend = _attend_eager if self.backend == "eager" else _attend_sdpa
            mixed = attend(query, key, value, layout).transpose(1, 2)
        return self.out_proj(mixed.reshape(hidden.shape))


def _attend_sdpa(query: Tensor, key: Tensor, value: Tensor, layout: PatchLayout) -> Tensor:
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=layout.mask)


def _attend_eager(query: Tensor, key: Tensor, value: Tensor, layout: PatchLayout) -> Tensor:
    scores = query @ key.transpose(2, 3) * query.shape[-1] ** -0.5  # [B, heads, L, L]
    if layout.mask is not None:
        scores = scores.masked_fill(~layout.mask, torch.finfo(scores.dtype).min)
    return scores.float().softmax(dim=-1).to(query.dtype) @ value


def _attend_packed(query: Tensor, key: Tensor, value: Tensor, layout: PatchLayout) -> Tensor:
    from flash_attn import flash_attn_varlen_func  # pyright: ignore[reportMissingImports]

    return flash_attn_varlen_func(
        query, key, value, layout.offsets, layout.offsets, layout.longest, layout.longest
    )


class VisionMLP(nn.Module):
    """Two linear layers around a tanh-approximated GELU."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(hidden), approximate="tanh"))


class VisionLayer(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, config: VisionConfig, backend: AttentionBackend) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = VisionAttention(config, backend)
        self.layer_norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = VisionMLP(config)

    def forward(self, hidden: Tensor, layout: PatchLayout) -> Tensor:
        hidden = hidden + self.self_attn(self.layer_norm1(hidden), layout)
        return hidden + self.mlp(self.layer_norm2(hidden))


class VisionEncoder(nn.Module):
    """The stack of layers."""

    def __init__(self, config: VisionConfig, backend: AttentionBackend) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            VisionLayer(config, backend) for _ in range(config.num_hidden_layers)
        )

    def forward(self, hidden: Tensor, layout: PatchLayout) -> Tensor:
        for layer in self.layers:
            hidden = layer(hidden, layout)
        return hidden


class VisionTransformer(nn.Module):
    """Tiles to patch features. ``config.num_hidden_layers`` counts the layers that are kept."""

    def __init__(self, config: VisionConfig, attn_implementation: AttentionBackend) -> None:
        super().__init__()
        self.backend = attn_implementation
        self.embeddings = VisionEmbeddings(config)
        self.encoder = VisionEncoder(config, attn_implementation)
        self.post_layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, pixels: Tensor, patch_mask: Tensor, target_sizes: Tensor) -> Tensor:
        """Encode a padded batch of tiles.

        Args:
            pixels: strips ``[B, 3, patch, patch * Lmax]``.
            patch_mask: boolean ``[B, Lmax]``, true for real patches.
            target_sizes: patch rows and columns ``[B, 2]``.

        Returns:
            ``[B, Lmax, C]`` after the final norm; rows of padded patches are meaningless.
        """
        hidden = self.embeddings(pixels, target_sizes)
        lengths = target_sizes.prod(dim=1)
        if self.backend == "flash_attention_2":
            packed = self.encoder(hidden[patch_mask], _packed_layout(lengths, hidden.device))
            hidden = torch.zeros_like(hidden)
            hidden[patch_mask] = packed
        else:
            padded = bool((lengths < patch_mask.shape[1]).any())
            mask = patch_mask[:, None, None, :] if padded else None
            hidden = self.encoder(hidden, PatchLayout(mask=mask))
        return self.post_layernorm(hidden)


def _packed_layout(lengths: Tensor, device: torch.device) -> PatchLayout:
    offsets = functional.pad(lengths.cumsum(0), (1, 0)).to(device, torch.int32)
    return PatchLayout(offsets=offsets, longest=int(lengths.max()))
