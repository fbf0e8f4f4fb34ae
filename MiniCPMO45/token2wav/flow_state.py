"""What streams remember of their past mel frames: all that changes while they speak.

A state belongs to one stream, except where chunks of several are computed side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.token2wav.configuration import EncoderConfig, EstimatorConfig
from MiniCPMO45.token2wav.frame_cache import FrameCache, FrameLayer
from MiniCPMO45.token2wav.positions import PositionRows
from MiniCPMO45.token2wav.trimming import (
    EncoderTrim,
    EstimatorTrim,
    keep_estimator_frames,
    keep_mel_positions,
    keep_token_positions,
)

CONTEXT = 2  # rows before a convolution of kernel 3


@dataclass(frozen=True)
class EncoderPositions:
    """Relative positions of the layers before and after upsampling."""

    tokens: PositionRows
    frames: PositionRows


@dataclass(frozen=True)
class EncoderState:
    """The encoder's past; tensors are written in place.

    ``lookahead`` ``[B, 2, C]`` and ``upsampling`` ``[B, 2 * rate, C]`` precede the convolutions
    of ``B`` streams, ``tokens`` and ``frames`` are the keys and values before and after upsampling.
    """

    lookahead: Tensor
    upsampling: Tensor
    tokens: FrameCache
    frames: FrameCache
    rate: int

    @classmethod
    def allocate(
        cls, config: EncoderConfig, n_tokens: int, like: Tensor, n_streams: int = 1
    ) -> EncoderState:
        """An empty state with room for ``n_tokens`` of every stream."""
        width, heads, rate = config.output_size, config.attention_heads, config.up_stride
        rows = (n_streams, heads, n_tokens, width // heads)
        frame_rows = (n_streams, heads, rate * n_tokens, width // heads)
        return cls(
            lookahead=like.new_zeros(n_streams, CONTEXT, width),
            upsampling=like.new_zeros(n_streams, 2 * rate, width),
            tokens=FrameCache.allocate((config.num_blocks, *rows), like),
            frames=FrameCache.allocate((config.num_up_blocks, *frame_rows), like),
            rate=rate,
        )

    def resized(self, n_tokens: int) -> EncoderState:
        return EncoderState(
            self.lookahead.clone(),
            self.upsampling.clone(),
            self.tokens.resized(n_tokens),
            self.frames.resized(self.rate * n_tokens),
            self.rate,
        )

    def copy_from(self, other: EncoderState) -> None:
        self.lookahead.copy_(other.lookahead)
        self.upsampling.copy_(other.upsampling)
        self.tokens.copy_from(other.tokens)
        self.frames.copy_from(other.frames)

    def padded(self, n_tokens: int, n_chunk: int, n_streams: int) -> list[EncoderState]:
        """Views of ``n_tokens`` of it, for chunks of ``n_chunk`` tokens: of all its streams, and
        then of each."""
        tokens = self.tokens.padded(n_tokens, n_chunk)
        frames = self.frames.padded(self.rate * n_tokens, self.rate * n_chunk)
        views = [EncoderState(self.lookahead, self.upsampling, tokens, frames, self.rate)]
        for index in range(n_streams):
            row = slice(index, index + 1)
            views.append(
                EncoderState(
                    self.lookahead[row],
                    self.upsampling[row],
                    tokens.stream(index, n_streams),
                    frames.stream(index, n_streams),
                    self.rate,
                )
            )
        return views

    def append(self, padded: EncoderState) -> None:
        """Take over the chunk that was written last to a padded state."""
        self.lookahead.copy_(padded.lookahead)
        self.upsampling.copy_(padded.upsampling)
        self.tokens.advance(self.tokens.write_chunk(padded.tokens))
        self.frames.advance(self.frames.write_chunk(padded.frames))

    def trim(self, n_prompt: int, rule: EncoderTrim) -> None:
        """Keep the prompt of ``n_prompt`` mel frames and two seconds more."""
        kept = keep_token_positions(self.tokens.length, n_prompt, self.rate, rule)
        self.tokens.arrange(kept)
        self.frames.arrange(keep_mel_positions(self.frames.length, n_prompt))


@dataclass(frozen=True)
class BlockState:
    """One estimator block in one solver step: caches of its attention and its convolutions."""

    attention: FrameLayer
    first: Tensor  # [rows, 2, hidden]
    second: Tensor


class EstimatorState:
    """The estimator's past in every solver step. Every stream has two rows, with and without
    condition; the first rows of all streams come before their second ones.

    Attention has no positions, so a frame may lie anywhere in the cache. ``newest_first`` lists
    the places of all frames, the newest chunk first and each chunk in its own order.
    """

    def __init__(self, cache: FrameCache, contexts: Tensor) -> None:
        self._cache = cache
        self._contexts = contexts  # [steps, depth, 2 convolutions, rows, 2, hidden]
        self.newest_first: list[int] = []

    @classmethod
    def allocate(
        cls,
        config: EstimatorConfig,
        n_steps: int,
        n_frames: int,
        like: Tensor,
        n_streams: int = 1,
    ) -> EstimatorState:
        """An empty state with room for ``n_frames`` of every stream."""
        layers, n_rows = (n_steps, config.depth), 2 * n_streams
        shape = (*layers, n_rows, config.num_heads, n_frames, config.head_dim)
        contexts = like.new_zeros(*layers, 2, n_rows, CONTEXT, config.hidden_size)
        return cls(FrameCache.allocate(shape, like), contexts)

    @property
    def length(self) -> int:
        return self._cache.length

    @property
    def capacity(self) -> int:
        return self._cache.capacity

    def resized(self, n_frames: int) -> EstimatorState:
        other = EstimatorState(self._cache.resized(n_frames), self._contexts.clone())
        other.newest_first = list(self.newest_first)
        return other

    def copy_from(self, other: EstimatorState) -> None:
        self._cache.copy_from(other._cache)
        self._contexts.copy_(other._contexts)
        self.newest_first = list(other.newest_first)

    def padded(self, n_frames: int, n_chunk: int, n_streams: int) -> list[EstimatorState]:
        """Views of ``n_frames`` of it, for chunks of ``n_chunk`` frames: of all its streams, and
        then of each."""
        cache = self._cache.padded(n_frames, n_chunk)
        views = [EstimatorState(cache, self._contexts)]
        for index in range(n_streams):
            contexts = self._contexts[:, :, :, index::n_streams]
            views.append(EstimatorState(cache.stream(index, n_streams), contexts))
        return views

    def append(self, padded: EstimatorState) -> None:
        """Take over the chunk that was written last to a padded state."""
        self._contexts.copy_(padded._contexts)
        self.advance(self._cache.write_chunk(padded._cache))

    def block(self, step: int, index: int) -> BlockState:
        first, second = self._contexts[step, index]
        return BlockState(self._cache.layer(step, index), first, second)

    def advance(self, n_frames: int) -> None:
        """Count a chunk that every block of every step has just written."""
        chunk = range(self.length, self.length + n_frames)
        self.newest_first = [*chunk, *self.newest_first]
        self._cache.advance(n_frames)

    def trim(self, n_prompt: int, rule: EstimatorTrim) -> None:
        """Keep as many frames as the prompt has, and 100 more; see ``keep_estimator_frames``.

        Frames that lie beyond the new end move into the places that became free.
        """
        kept = keep_estimator_frames(self.newest_first, n_prompt, rule)
        free = iter(sorted(set(range(len(kept))) - set(kept)))
        moves = {place: next(free) for place in kept if place >= len(kept)}
        self._cache.move(list(moves), list(moves.values()), len(kept))
        self.newest_first = [moves.get(place, place) for place in kept]


@dataclass(frozen=True)
class FlowState:
    """Encoder and estimator together."""

    encoder: EncoderState
    estimator: EstimatorState

    @property
    def n_frames(self) -> int:
        """Mel frames there is room for."""
        return self.estimator.capacity

    @torch.inference_mode()
    def resized(self, n_frames: int) -> FlowState:
        """A copy with room for ``n_frames`` mel frames."""
        n_tokens = -(-n_frames // self.encoder.rate)
        return FlowState(self.encoder.resized(n_tokens), self.estimator.resized(n_frames))

    @torch.inference_mode()
    def copy_from(self, other: FlowState) -> None:
        """Become as ``other``, which must not be larger than this state has room for."""
        self.encoder.copy_from(other.encoder)
        self.estimator.copy_from(other.estimator)

    def padded(self, n_frames: int, n_chunk: int, n_streams: int) -> list[FlowState]:
        """Views of ``n_frames`` mel frames of it, for chunks of ``n_chunk`` frames: of all its
        streams, and then of each. What is copied into one of these becomes the past of the
        stream's next chunk."""
        rate = self.encoder.rate
        encoders = self.encoder.padded(n_frames // rate, n_chunk // rate, n_streams)
        estimators = self.estimator.padded(n_frames, n_chunk, n_streams)
        return [FlowState(*parts) for parts in zip(encoders, estimators, strict=True)]

    def append(self, padded: FlowState) -> None:
        """Take over the chunk that was written last to a padded state."""
        self.encoder.append(padded.encoder)
        self.estimator.append(padded.estimator)

    def trim(self, n_prompt: int, encoder: EncoderTrim, estimator: EstimatorTrim) -> None:
        """Forget what lies too far back; ``n_prompt`` counts mel frames."""
        self.encoder.trim(n_prompt, encoder)
        self.estimator.trim(n_prompt, estimator)
