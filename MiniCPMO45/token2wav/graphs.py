"""The chunks of a stream as CUDA graphs: up to a second of codes, of which thousands of small
kernels make mel frames and sound.

A graph is bound to shapes and places in memory. So chunks are computed in a workspace: what their
streams remember is copied in, and what is new is copied out. The past of a stream is padded to the
next of a few sizes, and masked where it is not filled. Chunks of several streams are computed side
by side, in a workspace for so many; in one for more, the rows of nobody are computed in vain.

What makes mel frames looks only back, so a chunk of fewer codes is padded at its end. The vocoder
looks ahead by some thirteen frames, and each of its layers sees where a piece ends: padding would
be heard, so only whole seconds are captured there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.graph_capture import capture
from MiniCPMO45.token2wav.extent import Extent
from MiniCPMO45.token2wav.flow import Flow, Schedule
from MiniCPMO45.token2wav.flow_state import FlowState
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.overlap import OVERLAP_FRAMES, Piece, Rendering, render
from MiniCPMO45.token2wav.padded_state import PaddedStream, padded
from MiniCPMO45.token2wav.precision import full_precision
from MiniCPMO45.transfer import to_device

# Mel frames of prompt, past and chunk together: from the shortest to the longest recording.
FRAME_BUCKETS = (256, 384, 512, 768, 1024, 1280, 1664)
ALONE_FRAMES = 768  # where nothing is computed side by side; recordings of up to twelve seconds
STREAMS = 4  # side by side
MOST_FRAMES = 512  # of each of them; recordings of up to seven seconds

Work = Callable[[], None]


class Recorder:
    """Makes graphs that share the memory of what they compute on the way."""

    def __init__(self, device: torch.device) -> None:
        self._pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None

    @full_precision()
    @torch.inference_mode()
    def record(self, work: Work) -> Work:
        """``work`` as one launch; where there is no CUDA, ``work`` itself."""
        if self._pool is None:
            return work
        graph, _ = capture(work, self._pool)
        return graph.replay


@dataclass(frozen=True)
class FlowChunk:
    """Codes of one stream, of which the first ``n_tokens`` are not only looked at, its noise
    ``[1, frames, mels]`` and its speaker ``[1, mels]``."""

    state: FlowState
    codes: Sequence[int]
    n_tokens: int
    noise: Tensor
    speaker: Tensor


@dataclass(frozen=True)
class _Bucket:
    streams: list[PaddedStream]
    run: Work


class FlowGraphs:
    """Encoder and solver for chunks of up to ``n_codes``.

    Args:
        side_by_side: whether chunks of several streams may be computed at once, which takes more
            memory; the longest recordings then have room in it, too.
    """

    @torch.inference_mode()
    def __init__(
        self, flow: Flow, schedule: Schedule, n_codes: int, *, side_by_side: bool = False
    ) -> None:
        self._n_tokens = n_codes - flow.config.encoder.pre_lookahead_len
        self.n_frames = flow.config.encoder.up_stride * self._n_tokens
        n_steps = len(schedule.modulation)
        if side_by_side:
            wide = flow.new_state(n_steps, MOST_FRAMES, STREAMS)
            alone = wide.relaid(FRAME_BUCKETS[-1], 1)  # one of them runs at a time
            memories = [(alone, 1), (wide, STREAMS)]
        else:
            memories = [(flow.new_state(n_steps, ALONE_FRAMES), 1)]
        self._workspaces = [
            _FlowWorkspace(flow, schedule, n_codes, memory, width) for memory, width in memories
        ]

    def __len__(self) -> int:
        return sum(len(workspace.sizes) for workspace in self._workspaces)

    def capture(self, recorder: Recorder) -> Iterator[None]:
        """Capture one size after another."""
        for workspace in self._workspaces:
            yield from workspace.capture(recorder)

    def fits(self, n_past: int, n_tokens: int) -> bool:
        """Whether a chunk of ``n_tokens`` behind so many mel frames is captured."""
        return (
            n_tokens <= self._n_tokens and n_past + self.n_frames <= self._workspaces[0].sizes[-1]
        )

    def run(self, chunks: Sequence[FlowChunk]) -> list[Tensor]:
        """Move streams on by chunks that fit; see ``Flow.encode`` and ``Flow.solve``.

        Returns:
            float32 ``[1, frames, mels]`` of every chunk.
        """
        alone, wide = self._workspaces[0], self._workspaces[-1]
        lengths = [chunk.state.estimator.length + self.n_frames for chunk in chunks]
        sharing = [index for index, length in enumerate(lengths) if length <= wide.sizes[-1]]
        sharing.sort(key=lengths.__getitem__)
        groups = [sharing[at : at + wide.width] for at in range(0, len(sharing), wide.width)]
        groups += [[index] for index in range(len(chunks)) if index not in sharing]
        mels: dict[int, Tensor] = {}
        for group in groups:
            workspace = wide if len(group) > 1 else alone
            results = workspace.run([chunks[index] for index in group])
            mels.update(zip(group, results, strict=True))
        return [mels[index] for index in range(len(chunks))]


class _FlowWorkspace:
    """``memory`` for chunks of up to ``width`` streams side by side, and its graphs."""

    def __init__(
        self, flow: Flow, schedule: Schedule, n_codes: int, memory: FlowState, width: int
    ) -> None:
        like, n_mels = flow.encoder_proj.weight, flow.config.output_size
        self._rate = flow.config.encoder.up_stride
        n_tokens = n_codes - flow.config.encoder.pre_lookahead_len
        self.width = width
        self.sizes = [size for size in FRAME_BUCKETS if size <= memory.n_frames]
        self._n_frames = self._rate * n_tokens
        self._flow = flow
        self._schedule = schedule
        self._codes = torch.zeros(width, n_codes, dtype=torch.int64, device=like.device)
        self._noise = like.new_zeros(width, self._n_frames, n_mels, dtype=torch.float32)
        self._speaker = like.new_zeros(width, n_mels)
        self._known = like.new_zeros(width, 0, n_mels, dtype=torch.float32)
        self._mel = torch.zeros_like(self._noise)
        self._positions = flow.encoder.positions(n_tokens, memory.n_frames // self._rate)
        self._memory = memory
        self._extent = Extent.allocate(width, n_codes, self._rate, like)
        self._buckets: dict[int, _Bucket] = {}

    def capture(self, recorder: Recorder) -> Iterator[None]:
        for n_frames in reversed(self.sizes):  # the largest sizes the memory
            state, streams = padded(
                self._memory, self._extent, n_frames, self._n_frames, self.width
            )
            self._buckets[n_frames] = _Bucket(streams, recorder.record(self._work(state)))
            yield

    def run(self, chunks: Sequence[FlowChunk]) -> list[Tensor]:
        n_frames = max(chunk.state.estimator.length for chunk in chunks) + self._n_frames
        bucket = self._buckets[next(size for size in self.sizes if size >= n_frames)]
        n_codes = self._codes.shape[1]
        codes = [[*chunk.codes, *[0] * (n_codes - len(chunk.codes))] for chunk in chunks]
        self._codes[: len(chunks)].copy_(to_device(codes, self._codes.device))
        streams = bucket.streams[: len(chunks)]
        for row, (chunk, stream) in enumerate(zip(chunks, streams, strict=True)):
            self._noise[row, : chunk.noise.shape[1]].copy_(chunk.noise[0])
            self._speaker[row].copy_(chunk.speaker[0])
            stream.begin(chunk.state, len(chunk.codes), chunk.n_tokens)
        bucket.run()
        for chunk, stream in zip(chunks, streams, strict=True):
            stream.finish(chunk.state, chunk.n_tokens)
        mels = self._mel[: len(chunks)].clone().split(1)
        return [
            mel[:, : self._rate * chunk.n_tokens] for mel, chunk in zip(mels, chunks, strict=True)
        ]

    def _work(self, state: FlowState) -> Work:
        def work() -> None:
            flow = self._flow
            mu = flow.encode(self._codes, self._positions, state.encoder, last=False)
            mel = flow.solve(
                self._noise, mu, self._speaker, self._known, self._schedule, state.estimator
            )
            self._mel.copy_(mel)

        return work


class VocoderGraphs:
    """Renders pieces of ``n_frames``, the first of a turn or one that continues it.

    Args:
        side_by_side: whether pieces of several streams may be rendered at once.
    """

    @torch.inference_mode()
    def __init__(self, hift: HiFT, n_frames: int, *, side_by_side: bool = False) -> None:
        self._hift = hift
        self._width = STREAMS if side_by_side else 1
        self._workspaces = {
            (width, n_past, n_frames): _VocoderWorkspace(hift, width, n_past, n_frames)
            for width in sorted({self._width, 1}, reverse=True)
            for n_past in (OVERLAP_FRAMES, 0)
        }

    def __len__(self) -> int:
        return len(self._workspaces)

    def capture(self, recorder: Recorder) -> Iterator[None]:
        """Capture one size after another."""
        for workspace in self._workspaces.values():
            workspace.capture(recorder)
            yield

    def __call__(self, pieces: Sequence[Piece]) -> list[Rendering]:
        """See :func:`render`."""
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, piece in enumerate(pieces):
            alike[piece.past.mel.shape[2], piece.mel.shape[2]].append(index)
        renderings: dict[int, Rendering] = {}
        for sizes, indices in alike.items():
            for start in range(0, len(indices), self._width):
                group = indices[start : start + self._width]
                results = self._render([pieces[index] for index in group], sizes)
                renderings.update(zip(group, results, strict=True))
        return [renderings[index] for index in range(len(pieces))]

    def _render(self, pieces: Sequence[Piece], sizes: tuple[int, int]) -> list[Rendering]:
        width = self._width if len(pieces) > 1 else 1
        workspace = self._workspaces.get((width, *sizes))
        if workspace is None:
            return [render(self._hift, piece) for piece in pieces]
        return workspace.render(pieces)


class _VocoderWorkspace:
    def __init__(self, hift: HiFT, width: int, n_past: int, n_new: int) -> None:
        self._hift = hift
        past, mel = Rendering.silent(hift, n_past, width), Rendering.silent(hift, n_new, width).mel
        self._result = Rendering.silent(hift, n_past + n_new, width)
        noise = mel.new_zeros(width, self._result.sound.shape[1], hift.m_source.n_sines)
        self._pieces = Piece(past, mel, noise)
        self._run = self._work

    def capture(self, recorder: Recorder) -> None:
        self._run = recorder.record(self._work)

    def render(self, pieces: Sequence[Piece]) -> list[Rendering]:
        for row, piece in enumerate(pieces):
            self._pieces.row(row).copy_from(piece)
        self._run()
        return [self._result.row(row).clone() for row in range(len(pieces))]

    def _work(self) -> None:
        self._result.copy_from(render(self._hift, self._pieces))
