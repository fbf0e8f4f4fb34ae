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
from MiniCPMO45.joined_linears import JoinedLinears
from MiniCPMO45.resampler import Resampler

__all__ = ["Resampler", "VisionTransformer", "axis_buckets", "position_ids"]


_CPU = torch.device("cpu")


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


def position_ids(
    target_sizes: Tensor, n_patches: int, n_positions: int, device: torch.device = _CPU
) -> Tensor:
    """Position-table rows of a padded batch, int64 ``[B, n_patches]``; padding gets row 0.

    Args:
        target_sizes: patch rows and columns of each tile ``[B, 2]``.
    """
    return torch.stack(
        [_tile_ids(*size, n_patches, n_positions, device) for size in target_sizes.tolist()]
    )


@lru_cache(maxsize=256)
def _tile_ids(
    rows: int, columns: int, n_patches: int, n_positions: int, device: torch.device
) -> Tensor:
    vertical = axis_buckets(rows, n_positions)[:, None] * n_positions
    ids = (vertical + axis_buckets(columns, n_positions)).flatten()
    return functional.pad(ids, (0, n_patches - ids.numel())).to(device)


def score_mask(patch_mask: Tensor, dtype: torch.dtype) -> Tensor:
    """What hides padding when added to attention scores, ``[B, 1, 1, Lmax]``, from a mask
    ``[B, Lmax]`` that is true for real patches."""
    shown = torch.zeros(patch_mask.shape, dtype=dtype, device=patch_mask.device)
    return shown.masked_fill(~patch_mask, float("-inf"))[:, None, None]


@dataclass(frozen=True)
class PatchLayout:
    """How the patches of a batch lie in memory, for attention.

    ``mask`` is what :func:`score_mask` gives, None when nothing is padded. For FlashAttention the
    tiles may be packed end to end instead: ``offsets`` is int32 ``[B + 1]`` and ``longest`` the
    patches of the largest tile.
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
        n_patches = pixels.shape[3] // pixels.shape[2]
        ids = position_ids(target_sizes, n_patches, self.n_positions, pixels.device)
        return self.embed(pixels, ids)

    def embed(self, pixels: Tensor, ids: Tensor) -> Tensor:
        """The same with position-table rows ``[B, L]``."""
        patch = pixels.shape[2]
        # The convolution's steps do not overlap: it is one product over flattened patches.
        patches = pixels.unflatten(3, (-1, patch)).permute(0, 3, 1, 2, 4).flatten(2)  # [B, L, 3pp]
        kernel = self.patch_embedding
        embedded = functional.linear(patches, kernel.weight.flatten(1), kernel.bias)
        return embedded + self.position_embedding(ids)


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
        self.projections = JoinedLinears(self.q_proj, self.k_proj, self.v_proj)

    def forward(self, hidden: Tensor, layout: PatchLayout) -> Tensor:
        """``[..., L, C]`` to the same; packed input has no batch axis."""
        query, key, value = (
            part.unflatten(-1, (self.n_heads, self.head_dim)) for part in self.projections(hidden)
        )
        if layout.offsets is not None:
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
        scores = scores + layout.mask
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
        return self.fc2(_linear_gelu(hidden, self.fc1))


def _linear_gelu(inputs: Tensor, linear: nn.Linear) -> Tensor:
    """A linear layer and the tanh-approximated GELU, on a GPU within the matrix product."""
    if not inputs.is_cuda:
        return functional.gelu(linear(inputs), approximate="tanh")
    rows = inputs.flatten(0, -2)
    active = torch.ops.aten._addmm_activation(linear.bias, rows, linear.weight.T, use_gelu=True)
    return active.view(*inputs.shape[:-1], linear.out_features)


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

    def join_projections(self) -> None:
        """Make fewer, larger products of the loaded weights."""
        for layer in self.encoder.layers:
            layer.self_attn.projections.join()  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]

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
            mask = score_mask(patch_mask, hidden.dtype) if padded else None
            hidden = self.encoder(hidden, PatchLayout(mask=mask))
        return self.post_layernorm(hidden)


def _packed_layout(lengths: Tensor, device: torch.device) -> PatchLayout:
    offsets = functional.pad(lengths.cumsum(0), (1, 0)).to(device, torch.int32)
    return PatchLayout(offsets=offsets, longest=int(lengths.max()))
