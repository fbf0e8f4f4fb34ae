"""The decoder over batches of packed rows, with gradients: the weights of the model, no cache."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.llm import Attention, DecoderLayer, DecoderStack, RotaryTable, rotate
from training.nano.packing import Rows

Rotary = tuple[Tensor, Tensor]


def rotary_rows(stack: DecoderStack, length: int, device: torch.device) -> Rotary:
    """Cosines and sines of positions 0 to ``length``, each ``[length, 1, head_dim]``."""
    table = RotaryTable(stack.shape, length, device=device, dtype=torch.float32)
    return table.at(torch.arange(length, device=device))


def seen_from(segments: Tensor) -> Tensor:
    """What each position of ``[B, T]`` attends to: itself and what its conversation holds before,
    boolean ``[B, 1, T, T]``."""
    same = segments[:, None, :, None] == segments[:, None, None, :]
    return same.tril()


def hidden_states(
    stack: DecoderStack,
    embeddings: Tensor,
    mask: Tensor,
    rotary: Rotary,
    *,
    dropped_share: float = 0.0,
) -> Tensor:
    """Final hidden states ``[B, T, hidden]`` of ``embeddings`` ``[B, T, hidden]``.

    Args:
        dropped_share: of what each layer adds, left out at random.
    """
    x = functional.dropout(embeddings, dropped_share)
    learns_on_gpu = x.is_cuda and torch.is_grad_enabled()
    run = _compiled_layer() if learns_on_gpu else _layer
    for layer in stack.layers:
        x = run(layer, x, mask, rotary, dropped_share)
    return stack.norm(x)


@cache
def _compiled_layer() -> Callable[..., Tensor]:
    """`_layer` in fewer kernels; all layers share what is compiled for the first."""
    return torch.compile(_layer)


def _layer(
    layer: nn.Module, x: Tensor, mask: Tensor, rotary: Rotary, dropped_share: float
) -> Tensor:
    assert isinstance(layer, DecoderLayer)
    mixed = _attend(layer.self_attn, layer.input_layernorm(x), mask, rotary)
    x = x + functional.dropout(mixed, dropped_share)
    return x + functional.dropout(layer.mlp(layer.post_attention_layernorm(x)), dropped_share)


def answer_loss(model: MiniCPMO, hidden: Tensor, rows: Rows) -> Tensor:
    """Mean cross-entropy over the tokens that are to be learnt, of hidden states ``[B, T, d]``."""
    scores = model.llm.logits(hidden.flatten(0, 1)[rows.learnt])
    return functional.cross_entropy(scores, rows.targets.flatten()[rows.learnt])


def _attend(attention: Attention, x: Tensor, mask: Tensor, rotary: Rotary) -> Tensor:
    heads = (*x.shape[:2], -1, attention.head_dim)
    query = rotate(attention.q_norm(attention.q_proj(x).view(heads)), *rotary)
    key = rotate(attention.k_norm(attention.k_proj(x).view(heads)), *rotary)
    value = attention.v_proj(x).view(heads)
    group = query.shape[2] // key.shape[2]
    # -> [B, heads, T, head_dim]; grouped heads are repeated, because fast kernels with a mask
    # do not group
    query, key, value = (
        part.to(value.dtype).repeat_interleave(repeats, dim=2).transpose(1, 2)
        for part, repeats in ((query, 1), (key, group), (value, group))
    )
    mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    return attention.o_proj(mixed.transpose(1, 2).flatten(2))
