"""The ordinary chunk of a stream as CUDA graphs: a second of codes, of which thousands of small
kernels make mel frames and sound.

A graph is bound to shapes and places in memory. So a chunk is computed in a workspace: what the
stream remembers is copied in, and what is new is copied out. The past of a stream is padded to the
next of a few sizes, and masked where it is not filled. There is one workspace for all streams, so
one chunk is computed at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.graph_capture import capture
from MiniCPMO45.token2wav.flow import Flow, Schedule
from MiniCPMO45.token2wav.flow_state import FlowState
from MiniCPMO45.token2wav.hift import HiFT
from MiniCPMO45.token2wav.overlap import OVERLAP_FRAMES, Rendering, render
from MiniCPMO45.token2wav.precision import full_precision
from MiniCPMO45.transfer import to_device

# Mel frames of prompt, past and chunk together: from the shortest to the longest recording.
FRAME_BUCKETS = (256, 384, 512, 768, 1024, 1280, 1664)

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
class _Bucket:
    state: FlowState
    run: Work


class FlowGraphs:
    """Encoder and solver for chunks of ``n_codes``."""

    @torch.inference_mode()
    def __init__(self, flow: Flow, schedule: Schedule, n_codes: int) -> None:
        like, n_mels, most = flow.encoder_proj.weight, flow.config.output_size, FRAME_BUCKETS[-1]
        rate = flow.config.encoder.up_stride
        n_tokens = n_codes - flow.config.encoder.pre_lookahead_len
        self.n_frames = rate * n_tokens
        self._flow = flow
        self._schedule = schedule
        self._codes = torch.zeros(1, n_codes, dtype=torch.int64, device=like.device)
        self._noise = like.new_zeros(1, self.n_frames, n_mels, dtype=torch.float32)
        self._speaker = like.new_zeros(1, n_mels)
        self._known = like.new_zeros(1, 0, n_mels, dtype=torch.float32)
        self._mel = torch.zeros_like(self._noise)
        self._positions = flow.encoder.positions(n_tokens, most // rate)
        self._memory = flow.new_state(len(schedule.modulation), most)
        self._buckets: dict[int, _Bucket] = {}

    def __len__(self) -> int:
        return len(FRAME_BUCKETS)

    def capture(self, recorder: Recorder) -> Iterator[None]:
        """Capture one size after another."""
        for n_frames in reversed(FRAME_BUCKETS):  # the largest sizes the memory
            state = self._memory.padded(n_frames, self.n_frames)
            self._buckets[n_frames] = _Bucket(state, recorder.record(self._work(state)))
            yield

    def fits(self, state: FlowState, n_codes: int, *, last: bool) -> bool:
        """Whether such a chunk is captured."""
        n_frames = state.estimator.length + self.n_frames
        return not last and n_codes == self._codes.shape[1] and n_frames <= FRAME_BUCKETS[-1]

    def run(self, state: FlowState, codes: Sequence[int], noise: Tensor, speaker: Tensor) -> Tensor:
        """Move a stream on by a chunk that fits; see ``Flow.encode`` and ``Flow.solve``.

        Returns:
            float32 ``[1, n_frames, mels]``, valid until the next run.
        """
        n_frames = state.estimator.length + self.n_frames
        bucket = self._buckets[next(size for size in FRAME_BUCKETS if size >= n_frames)]
        self._codes[0].copy_(to_device(codes, self._codes.device))
        self._noise.copy_(noise)
        self._speaker.copy_(speaker)
        bucket.state.copy_from(state)
        bucket.run()
        state.append(bucket.state)
        return self._mel

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
    """Renders chunks of ``n_frames``, the first of a turn or one that continues it."""

    @torch.inference_mode()
    def __init__(self, hift: HiFT, n_frames: int) -> None:
        self._hift = hift
        self._graphs = {
            (n_past, n_frames): _VocoderGraph(hift, n_past, n_frames)
            for n_past in (OVERLAP_FRAMES, 0)
        }

    def __len__(self) -> int:
        return len(self._graphs)

    def capture(self, recorder: Recorder) -> Iterator[None]:
        """Capture one size after another."""
        for graph in self._graphs.values():
            graph.capture(recorder)
            yield

    def __call__(self, past: Rendering, mel: Tensor, noise: Tensor) -> Rendering:
        """See :func:`render`. What comes back is valid until the next call."""
        graph = self._graphs.get((past.mel.shape[2], mel.shape[2]))
        if graph is None:
            return render(self._hift, past, mel, noise)
        return graph(past, mel, noise)


class _VocoderGraph:
    def __init__(self, hift: HiFT, n_past: int, n_new: int) -> None:
        self._hift = hift
        self._past = Rendering.silent(hift, n_past)
        self._mel = Rendering.silent(hift, n_new).mel
        self._result = Rendering.silent(hift, n_past + n_new)
        self._noise = self._mel.new_zeros(1, self._result.sound.shape[1], hift.m_source.n_sines)
        self._run = self._work

    def capture(self, recorder: Recorder) -> None:
        self._run = recorder.record(self._work)

    def __call__(self, past: Rendering, mel: Tensor, noise: Tensor) -> Rendering:
        self._past.copy_from(past)
        self._mel.copy_(mel)
        self._noise.copy_(noise)
        self._run()
        return self._result

    def _work(self) -> None:
        self._result.copy_from(render(self._hift, self._past, self._mel, self._noise))
