"""Speech tokens to mel-rate features: a conformer encoder that doubles the rate half-way.

All attention is full: a chunk sees itself and everything cached before it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from MiniCPMO45.joined_linears import JoinedLinears
from MiniCPMO45.token2wav.causal import causal_conv, convolve
from MiniCPMO45.token2wav.configuration import EncoderConfig
from MiniCPMO45.token2wav.flow_state import EncoderPositions, EncoderState
from MiniCPMO45.token2wav.frame_cache import FrameCache, FrameLayer
from MiniCPMO45.token2wav.positions import PositionRows, select_distances, sinusoids

_EMBED_EPS = 1e-5
_LAYER_EPS = 1e-12


class InputLayer(nn.Module):
    """Linear and norm, scaled by the square root of the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out = nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width, eps=_EMBED_EPS))
        self.scale = math.sqrt(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x) * self.scale


class LookaheadLayer(nn.Module):
    """Mixes each token with the few that follow it, then with the two before."""

    def __init__(self, width: int, lookahead: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(width, width, kernel_size=lookahead + 1)
        self.conv2 = nn.Conv1d(width, width, kernel_size=3)

    def forward(self, x: Tensor, context: Tensor | None, ends: Tensor | None = None) -> Tensor:
        """``[B, T + lookahead, C]`` to ``[B, T, C]``; ``context`` ``[B, 2, C]`` is updated, see
        :func:`causal_conv`."""
        ahead = functional.leaky_relu(convolve(self.conv1, x))  # [B, T, C]
        mixed = causal_conv(self.conv2, ahead, context, ends)
        return mixed + x[:, : mixed.shape[1]]


class UpsamplingLayer(nn.Module):
    """Repeats every frame ``stride`` times and smooths the steps."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv1d(width, width, kernel_size=2 * stride + 1)

    def forward(self, x: Tensor, context: Tensor | None, ends: Tensor | None = None) -> Tensor:
        """``[B, T, C]`` to ``[B, stride * T, C]``; ``context`` ``[B, 2 * stride, C]`` is updated,
        see :func:`causal_conv`."""
        return causal_conv(self.conv, x.repeat_interleave(self.stride, dim=1), context, ends)


class RelativeAttention(nn.Module):
    """Multi-head attention over content and distance."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width, n_heads = config.output_size, config.attention_heads
        self.n_heads = n_heads
        self.linear_q = nn.Linear(width, width)
        self.linear_k = nn.Linear(width, width, bias=config.key_bias)
        self.linear_v = nn.Linear(width, width)
        self.projections = JoinedLinears(self.linear_q, self.linear_k, self.linear_v)
        self.linear_out = nn.Linear(width, width)
        self.linear_pos = nn.Linear(width, width, bias=False)
        self.pos_bias_u = nn.Parameter(torch.empty(n_heads, width // n_heads))
        self.pos_bias_v = nn.Parameter(torch.empty(n_heads, width // n_heads))

    def position_rows(self, table: Tensor) -> Tensor:
        """Sinusoids ``[distances, C]`` as ``[heads, head_dim, distances]``."""
        return self.linear_pos(table).unflatten(-1, (self.n_heads, -1)).permute(1, 2, 0)

    def forward(
        self, x: Tensor, rows: PositionRows, layer: int, cache: FrameLayer | None
    ) -> Tensor:
        """``[B, T, C]`` to the same."""
        query, key, value = (
            # -> [B, heads, T, head_dim]
            each.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for each in self.projections(x)
        )
        if cache is not None:
            key, value = cache.append(key, value)
        n_queries, n_keys = query.shape[2], key.shape[2]
        content = (query + self.pos_bias_u[:, None]) @ key.transpose(2, 3)
        distance = (query + self.pos_bias_v[:, None]) @ rows.window(layer, n_queries, n_keys)
        scores = content + select_distances(distance, n_keys)  # [B, heads, T, n_keys]
        scores = scores.float() * query.shape[-1] ** -0.5
        if cache is not None and cache.mask is not None:
            scores = scores + cache.mask
        weights = scores.softmax(dim=-1)
        mixed = weights.to(value.dtype) @ value
        return self.linear_out(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.w_1 = nn.Linear(config.output_size, config.linear_units)
        self.w_2 = nn.Linear(config.linear_units, config.output_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_2(functional.silu(self.w_1(x)))


class EncoderLayer(nn.Module):
    """Pre-norm attention and feed-forward; there is no convolution module."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.self_attn = RelativeAttention(config)
        self.feed_forward = FeedForward(config)
        self.norm_mha = nn.LayerNorm(config.output_size, eps=_LAYER_EPS)
        self.norm_ff = nn.LayerNorm(config.output_size, eps=_LAYER_EPS)

    def forward(
        self, x: Tensor, rows: PositionRows, layer: int, cache: FrameLayer | None
    ) -> Tensor:
        x = x + self.self_attn(self.norm_mha(x), rows, layer, cache)
        return x + self.feed_forward(self.norm_ff(x))


class Conformer(nn.Module):
    """The encoder (``encoder.``)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.output_size
        self.embed = InputLayer(width)
        self.pre_lookahead_layer = LookaheadLayer(width, config.pre_lookahead_len)
        self.encoders = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_blocks))
        self.up_layer = UpsamplingLayer(width, config.up_stride)
        self.up_embed = InputLayer(width)
        self.up_encoders = nn.ModuleList(EncoderLayer(config) for _ in range(config.num_up_blocks))
        self.after_norm = nn.LayerNorm(width, eps=_EMBED_EPS)

    def forward(
        self, x: Tensor, positions: EncoderPositions, state: EncoderState | None, *, last: bool
    ) -> Tensor:
        """Encode the next tokens of a stream, or with ``state`` None a whole utterance.

        Args:
            x: token embeddings ``[B, T, C]``. Unless ``last``, the final ``pre_lookahead_len``
                are only looked at and belong to the next call too.
            positions: rows that reach as far as the state.

        Returns:
            ``[B, up_stride * n, C]`` for the ``n`` tokens that were not only looked at.
        """
        return self.contextual(self.look_ahead(x, state, last=last), positions, state)

    def look_ahead(self, x: Tensor, state: EncoderState | None, *, last: bool) -> Tensor:
        """The first half of :meth:`forward`, ``[B, n, C]``: tokens that know their neighbours."""
        extent = None if state is None else state.extent
        x = self.embed(x)
        if last:  # what follows the end is zero here, not before the embedding
            x = functional.pad(x, (0, 0, 0, self.config.pre_lookahead_len))
        if extent is not None:
            x = x * extent.known
        context = None if state is None else state.lookahead
        ends = None if extent is None else extent.token_ends
        return self.pre_lookahead_layer(x, context, ends)

    def contextual(
        self, x: Tensor, positions: EncoderPositions, state: EncoderState | None
    ) -> Tensor:
        """The second half of :meth:`forward`: what ``x`` ``[B, n, C]`` is behind all before it."""
        extent = None if state is None else state.extent
        x = _run(self.encoders, x, positions.tokens, None if state is None else state.tokens)
        context = None if state is None else state.upsampling
        ends = None if extent is None else extent.upsampling_ends
        x = self.up_layer(x, context, ends)
        x = self.up_embed(x)
        x = _run(self.up_encoders, x, positions.frames, None if state is None else state.frames)
        return self.after_norm(x)

    def positions(self, n_queries: int, n_keys: int) -> EncoderPositions:
        """Rows for calls of up to ``n_queries`` tokens that see up to ``n_keys``."""
        rate = self.config.up_stride
        return EncoderPositions(
            tokens=self._rows(self.encoders, n_queries, n_keys),
            frames=self._rows(self.up_encoders, rate * n_queries, rate * n_keys),
        )

    def _rows(self, layers: nn.ModuleList, n_queries: int, n_keys: int) -> PositionRows:
        weight = self.up_layer.conv.weight
        table = sinusoids(n_keys - 1, 1 - n_queries, self.config.output_size, weight.device)
        table = table.to(weight.dtype)
        projected = [
            layer.self_attn.position_rows(table)
            for layer in layers
            if isinstance(layer, EncoderLayer)
        ]
        return PositionRows(projected, n_keys - 1)


def _run(layers: nn.ModuleList, x: Tensor, rows: PositionRows, cache: FrameCache | None) -> Tensor:
    for index, layer in enumerate(layers):
        x = layer(x, rows, index, None if cache is None else cache.layer(index))
    if cache is not None:
        cache.advance(x.shape[1])
    return x
