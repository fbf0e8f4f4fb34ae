"""Memory for chunks of fixed shapes, of several streams side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from MiniCPMO45.token2wav.extent import Extent
from MiniCPMO45.token2wav.flow_state import EncoderState, EstimatorState, FlowState
from MiniCPMO45.token2wav.frame_cache import PaddedCache


@dataclass(frozen=True)
class PaddedStream:
    """One stream's share of a padded state: what its next chunk is computed on."""

    contexts: Sequence[Tensor]
    caches: Sequence[PaddedCache]
    extent: Extent

    def begin(self, state: FlowState, n_codes: int, n_tokens: int) -> None:
        """Take over what a stream remembers, for a chunk of ``n_codes`` of which ``n_tokens`` are
        not only looked at."""
        n_frames = state.encoder.rate * n_tokens
        for own, theirs in zip(self.contexts, state.contexts, strict=True):
            own.copy_(theirs)
        sizes = n_tokens, n_frames, n_frames
        for cache, past, size in zip(self.caches, state.caches, sizes, strict=True):
            cache.begin(past, size)
        self.extent.set(n_codes, n_tokens, n_frames)

    def finish(self, state: FlowState, n_tokens: int) -> None:
        """Let the stream remember the chunk that was computed."""
        for own, theirs in zip(self.contexts, state.contexts, strict=True):
            theirs.copy_(own)
        for cache, past in zip(self.caches, state.caches, strict=True):
            past.write_chunk(cache)
        state.advance(n_tokens)


def padded(
    memory: FlowState, extent: Extent, n_frames: int, n_chunk: int, n_streams: int
) -> tuple[FlowState, list[PaddedStream]]:
    """Views of ``n_frames`` mel frames of a state, for chunks of up to ``n_chunk`` frames: of all
    its streams together, and of each."""
    encoder, estimator = memory.encoder, memory.estimator
    rate = encoder.rate
    tokens = encoder.tokens.padded(n_frames // rate, n_chunk // rate)
    frames = encoder.frames.padded(n_frames, n_chunk)
    cache = estimator.cache.padded(n_frames, n_chunk)
    together = FlowState(
        EncoderState(encoder.lookahead, encoder.upsampling, tokens, frames, rate, extent),
        EstimatorState(cache, estimator.contexts, extent),
    )
    streams = []
    for index in range(n_streams):
        rows = slice(index, None, n_streams)
        contexts = encoder.lookahead[rows], encoder.upsampling[rows]
        streams.append(
            PaddedStream(
                (*contexts, estimator.contexts[:, :, :, rows]),
                [each.stream(index, n_streams) for each in (tokens, frames, cache)],
                extent.stream(index, n_streams),
            )
        )
    return together, streams
