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
    """Consecutive rows of one conversation within a forward.

    They are rows ``first`` to ``first + count`` of the forward, and go to cache positions ``start``
    to ``start + count`` of slot ``slot``. ``mask`` is a boolean ``[count, start + count]`` of what
    each row sees, or None where causality needs none: a single row, or rows on an empty cache.
    """

    first: int
    count: int
    slot: int
    start: int
    mask: Tensor | None

    @classmethod
    def build(
        cls, first: int, count: int, slot: int, start: int, device: torch.device
    ) -> CausalSpan:
        """The span with its mask on ``device``."""
        mask = None
        if start and count > 1:
            seen = torch.ones(count, start + count, dtype=torch.bool, device=device)
            mask = seen.tril(diagonal=start)
        return cls(first, count, slot, start, mask)


def attend_span(
    query: Tensor, keys: Tensor, values: Tensor, span: CausalSpan, backend: AttentionBackend
) -> Tensor:
    """Attend to a cache that already holds the new keys and values.

    Args:
        query: ``[T, heads, head_dim]``, the rows of the span.
        keys, values: the conversation's slot ``[capacity, kv_heads, head_dim]``.

    Returns:
        ``[T, heads, head_dim]``.
    """
    if backend == "flash_attention_2":
        from flash_attn import (  # pyright: ignore[reportMissingImports]
            flash_attn_with_kvcache,
        )

        filled = torch.tensor([span.start + span.count], dtype=torch.int32, device=query.device)
        return flash_attn_with_kvcache(
            query[None], keys[None], values[None], cache_seqlens=filled, causal=True
        )[0]
    query = query.transpose(0, 1)  # -> [heads, T, head_dim]
    keys = keys[: span.start + span.count].transpose(0, 1)  # -> [kv_heads, filled, head_dim]
    values = values[: span.start + span.count].transpose(0, 1)
    if backend == "sdpa":
        mixed = functional.scaled_dot_product_attention(
            query[None],
            keys[None],
            values[None],
            attn_mask=span.mask,
            is_causal=span.start == 0 and span.count > 1,
            enable_gqa=True,
        )[0]
    else:
        mixed = _attend_eager(query, keys, values, span)
    return mixed.transpose(0, 1)


def _attend_eager(query: Tensor, keys: Tensor, values: Tensor, span: CausalSpan) -> Tensor:
    group = query.shape[0] // keys.shape[0]
    keys = keys.repeat_interleave(group, dim=0)  # -> [heads, filled, head_dim]
    values = values.repeat_interleave(group, dim=0)
    scores = query @ keys.transpose(1, 2) * query.shape[-1] ** -0.5  # [heads, T, filled]
    mask = span.mask
    if span.start == 0 and span.count > 1:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.float().softmax(dim=-1).to(query.dtype) @ values
