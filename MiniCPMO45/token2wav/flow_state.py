"""What streams remember of their past mel frames: all that changes while they speak.

A state belongs to one stream, except where chunks of several are computed side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.token2wav.causal import CONTEXT
from MiniCPMO45.token2wav.configuration import EncoderConfig, EstimatorConfig
from MiniCPMO45.token2wav.extent import Extent
from MiniCPMO45.token2wav.frame_cache import FrameCache, FrameLayer
from MiniCPMO45.token2wav.positions import PositionRows
from MiniCPMO45.token2wav.trimming import (
    EncoderTrim,
    EstimatorTrim,
    keep_estimator_frames,
    keep_mel_positions,
    keep_token_positions,
)


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
    extent: Extent | None = None

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

    def relaid(self, n_tokens: int, n_streams: int) -> EncoderState:
        return EncoderState(
            self.lookahead[:n_streams].clone(),
            self.upsampling[:n_streams].clone(),
            self.tokens.relaid(n_streams, n_tokens),
            self.frames.relaid(n_streams, self.rate * n_tokens),
            self.rate,
        )

    def copy_from(self, other: EncoderState) -> None:
        self.lookahead.copy_(other.lookahead)
        self.upsampling.copy_(other.upsampling)
        self.tokens.copy_from(other.tokens)
        self.frames.copy_from(other.frames)

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
    ends: Tensor | None


class EstimatorState:
    """The estimator's past in every solver step. Every stream has two rows, with and without
    condition; the first rows of all streams come before their second ones.

    Attention has no positions, so a frame may lie anywhere in the cache. ``newest_first`` lists
    the places of all frames, the newest chunk first and each chunk in its own order.
    """

    def __init__(self, cache: FrameCache, contexts: Tensor, extent: Extent | None = None) -> None:
        self.cache = cache
        self.contexts = contexts  # [steps, depth, 2 convolutions, rows, 2, hidden]
        self.newest_first: list[int] = []
        self._ends = None if extent is None else extent.frame_ends

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
        return self.cache.length

    @property
    def capacity(self) -> int:
        return self.cache.capacity

    def resized(self, n_frames: int) -> EstimatorState:
        other = EstimatorState(self.cache.resized(n_frames), self.contexts.clone())
        other.newest_first = list(self.newest_first)
        return other

    def relaid(self, n_frames: int, n_streams: int) -> EstimatorState:
        n_rows = 2 * n_streams
        contexts = self.contexts[:, :, :, :n_rows].clone()
        return EstimatorState(self.cache.relaid(n_rows, n_frames), contexts)

    def copy_from(self, other: EstimatorState) -> None:
        self.cache.copy_from(other.cache)
        self.contexts.copy_(other.contexts)
        self.newest_first = list(other.newest_first)

    def block(self, step: int, index: int) -> BlockState:
        first, second = self.contexts[step, index]
        return BlockState(self.cache.layer(step, index), first, second, self._ends)

    def advance(self, n_frames: int) -> None:
        """Count a chunk that every block of every step has just written."""
        chunk = range(self.length, self.length + n_frames)
        self.newest_first = [*chunk, *self.newest_first]
        self.cache.advance(n_frames)

    def trim(self, n_prompt: int, rule: EstimatorTrim) -> None:
        """Keep as many frames as the prompt has, and 100 more; see ``keep_estimator_frames``.

        Frames that lie beyond the new end move into the places that became free.
        """
        kept = keep_estimator_frames(self.newest_first, n_prompt, rule)
        free = iter(sorted(set(range(len(kept))) - set(kept)))
        moves = {place: next(free) for place in kept if place >= len(kept)}
        self.cache.move(list(moves), list(moves.values()), len(kept))
        self.newest_first = [moves.get(place, place) for place in kept]


@dataclass(frozen=True)
class FlowMark:
    """What a state had besides the positions of its caches."""

    contexts: list[Tensor]
    lengths: list[int]
    newest_first: list[int]


@dataclass(frozen=True)
class FlowState:
    """Encoder and estimator together."""

    encoder: EncoderState
    estimator: EstimatorState

    @property
    def contexts(self) -> tuple[Tensor, Tensor, Tensor]:
        """What precedes all convolutions."""
        return self.encoder.lookahead, self.encoder.upsampling, self.estimator.contexts

    @property
    def caches(self) -> tuple[FrameCache, FrameCache, FrameCache]:
        """Keys and values of tokens, of frames in the encoder, and of frames in the estimator."""
        return self.encoder.tokens, self.encoder.frames, self.estimator.cache

    @property
    def n_frames(self) -> int:
        """Mel frames there is room for."""
        return self.estimator.capacity

    @torch.inference_mode()
    def resized(self, n_frames: int) -> FlowState:
        """A copy with room for ``n_frames`` mel frames."""
        n_tokens = -(-n_frames // self.encoder.rate)
        return FlowState(self.encoder.resized(n_tokens), self.estimator.resized(n_frames))

    def relaid(self, n_frames: int, n_streams: int) -> FlowState:
        """The same memory as an empty state of other streams, which must not need more."""
        n_tokens = n_frames // self.encoder.rate
        return FlowState(
            self.encoder.relaid(n_tokens, n_streams), self.estimator.relaid(n_frames, n_streams)
        )

    @torch.inference_mode()
    def copy_from(self, other: FlowState) -> None:
        """Become as ``other``, which must not be larger than this state has room for."""
        self.encoder.copy_from(other.encoder)
        self.estimator.copy_from(other.estimator)

    def advance(self, n_tokens: int) -> None:
        """Count tokens, and their mel frames, that every layer has just written."""
        n_frames = self.encoder.rate * n_tokens
        self.encoder.tokens.advance(n_tokens)
        self.encoder.frames.advance(n_frames)
        self.estimator.advance(n_frames)

    def mark(self) -> FlowMark:
        """Where the state stands; later appends can be taken back."""
        contexts = [context.clone() for context in self.contexts]
        lengths = [cache.length for cache in self.caches]
        return FlowMark(contexts, lengths, self.estimator.newest_first)

    def rewind(self, mark: FlowMark) -> None:
        """Take back what was appended since the mark. Nothing may have been trimmed since."""
        for context, marked in zip(self.contexts, mark.contexts, strict=True):
            context.copy_(marked)
        for cache, length in zip(self.caches, mark.lengths, strict=True):
            cache.length = length
        self.estimator.newest_first = mark.newest_first

    def trim(self, n_prompt: int, encoder: EncoderTrim, estimator: EstimatorTrim) -> None:
        """Forget what lies too far back; ``n_prompt`` counts mel frames."""
        self.encoder.trim(n_prompt, encoder)
        self.estimator.trim(n_prompt, estimator)


@contextmanager
def all_or_nothing(states: Iterable[FlowState]) -> Iterator[None]:
    """Take back what the block appended to these states if it fails."""
    marks = [(state, state.mark()) for state in states]
    try:
        yield
    except BaseException:
        for state, mark in marks:
            state.rewind(mark)
        raise
