"""Choice of attention backend, and attention of new queries over a preallocated KV cache."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.errors import AttentionUnavailableError

AttentionBackend = Literal["flash_attention_2", "sdpa", "eager"]


def resolve_backend(requested: str, device: torch.device) -> AttentionBackend:
    """Turn ``attn_implementation`` into a backend that runs on ``device``.

    ``auto`` takes FlashAttention 2 on a GPU where the package is installed, else PyTorch's
    scaled-dot-product attention. An explicit name is honoured or refused, never changed.

    Raises:
        AttentionUnavailableError: the named backend is unknown or cannot run here.
    """
    flash_found = importlib.util.find_spec("flash_attn") is not None
    if requested == "auto":
        return "flash_attention_2" if flash_found and device.type == "cuda" else "sdpa"
    if requested == "flash_attention_2":
        if not flash_found:
            raise AttentionUnavailableError(
                "attn_implementation is flash_attention_2 but the flash-attn package is not "
                "installed; install it or set attn_implementation to auto or sdpa"
            )
        if device.type != "cuda":
            raise AttentionUnavailableError(
                f"flash_attention_2 needs a CUDA device, the model is on {device.type}"
            )
        return "flash_attention_2"
    if requested in get_args(AttentionBackend):
        return requested  # pyright: ignore[reportReturnType]
    raise AttentionUnavailableError(
        f"attn_implementation {requested!r} is unknown; "
        "choose auto, flash_attention_2, sdpa or eager"
    )


def prefer_kernels_without_plans() -> None:
    """Let this process's scaled-dot-product attention do without cuDNN.

    cuDNN plans each new shape for about a millisecond of host time, and over a growing cache every
    step has a new one: on an H200 a unit in which the full-size model speaks took 1240 ms with it
    and 440 ms without.
    """
    torch.backends.cuda.enable_cudnn_sdp(False)


@dataclass(frozen=True)
class CausalSpan:
    """Which cached positions each new query may see; shared by all layers of one forward.

    ``kv_length`` bounds the cache columns that are read. ``mask`` is a boolean
    ``[B, 1, T, kv_length]``, or None where causality needs no mask: a single query that sees
    every column, or queries that start on an empty cache (``square``).
    """

    kv_length: int
    square: bool
    mask: Tensor | None
    filled: Tensor  # int32 [B]: positions filled in each row, new ones included

    @classmethod
    def build(cls, indices: Tensor, kv_length: int, *, exact: bool) -> CausalSpan:
        """Describe queries written at cache ``indices`` ``[B, T]``.

        ``exact`` promises that every row's last index is ``kv_length - 1``; without it the
        columns beyond a row's own length are masked.
        """
        n_queries = indices.shape[1]
        square = exact and n_queries == kv_length
        mask = None
        if not square and not (exact and n_queries == 1):
            columns = torch.arange(kv_length, device=indices.device)
            mask = columns <= indices[:, None, :, None]  # [B, 1, T, kv_length]
        return cls(kv_length, square, mask, (indices[:, -1] + 1).to(torch.int32))


def attend_cached(
    query: Tensor, keys: Tensor, values: Tensor, span: CausalSpan, backend: AttentionBackend
) -> Tensor:
    """Attend to a cache that already holds the new keys and values.

    Args:
        query: ``[B, T, heads, head_dim]``.
        keys, values: cache rows ``[B, capacity, kv_heads, head_dim]``.

    Returns:
        ``[B, T, heads, head_dim]``.
    """
    if backend == "flash_attention_2":
        from flash_attn import (  # pyright: ignore[reportMissingImports]
            flash_attn_with_kvcache,
        )

        return flash_attn_with_kvcache(query, keys, values, cache_seqlens=span.filled, causal=True)
    query = query.transpose(1, 2)  # -> [B, heads, T, head_dim]
    keys = keys[:, : span.kv_length].transpose(1, 2)  # -> [B, kv_heads, kv_length, head_dim]
    values = values[:, : span.kv_length].transpose(1, 2)
    if backend == "sdpa":
        mixed = functional.scaled_dot_product_attention(
            query, keys, values, attn_mask=span.mask, is_causal=span.square, enable_gqa=True
        )
    else:
        mixed = _attend_eager(query, keys, values, span)
    return mixed.transpose(1, 2)


def _attend_eager(query: Tensor, keys: Tensor, values: Tensor, span: CausalSpan) -> Tensor:
    group = query.shape[1] // keys.shape[1]
    keys = keys.repeat_interleave(group, dim=1)  # -> [B, heads, kv_length, head_dim]
    values = values.repeat_interleave(group, dim=1)
    scores = query @ keys.transpose(2, 3) * query.shape[-1] ** -0.5  # [B, heads, T, kv_length]
    mask = span.mask
    if span.square:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.float().softmax(dim=-1).to(query.dtype) @ values
