"""Mel features of live audio: whole frames of a growing buffer, emitted once each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from MiniCPMO45.errors import MediaError
from MiniCPMO45.mel import (
    FRAMES_PER_SECOND,
    HOP_LENGTH,
    N_FFT,
    N_MELS,
    SAMPLE_RATE,
    Waveform,
    as_waveform,
    normalise,
)
from MiniCPMO45.mel_buffer import MelBuffer

_SAMPLES_PER_MS = SAMPLE_RATE // 1000
_DYNAMIC_FLOOR_S = 5.0  # below this much buffered audio nothing is cut


@dataclass(frozen=True)
class StreamingMelSettings:
    """How a stream is cut into pieces.

    ``redundancy_ms`` of mel frames are repeated on either side of a piece, for an encoder that
    cuts them off again behind its convolutions. When ``slide_trigger_s`` of audio are buffered
    the oldest ``slide_stride_s`` are dropped.
    """

    chunk_ms: float = 1000.0
    first_chunk_ms: float = 1035.0
    redundancy_ms: float = 0.0
    slide_trigger_s: float = 30.0
    slide_stride_s: float = 10.0

    @property
    def chunk_samples(self) -> int:
        return round(self.chunk_ms * _SAMPLES_PER_MS)

    @property
    def chunk_frames(self) -> int:
        """New frames of a piece."""
        return self.chunk_samples // HOP_LENGTH

    @property
    def first_chunk_samples(self) -> int:
        """Samples the first piece needs: whole hops."""
        samples = self.padded_first_samples
        return max(samples - samples % HOP_LENGTH, HOP_LENGTH)

    @property
    def padded_first_samples(self) -> int:
        """Length to which the first audio of a stream is padded with silence on the left."""
        return round(self.first_chunk_ms * _SAMPLES_PER_MS)

    @property
    def redundancy_frames(self) -> int:
        return int(self.redundancy_ms * _SAMPLES_PER_MS) // HOP_LENGTH


@dataclass(frozen=True)
class MelRecord:
    """What the last push did. Frames are counted from the start of the stream unless local.

    ``core_start`` to ``core_end`` are the new frames; ``total_frames`` and ``stable_frames``
    (those whose window lies inside the buffer) count from ``base_frame``.
    """

    n_pushes: int
    emitted_frames: int
    total_frames: int
    stable_frames: int
    base_frame: int
    buffer_samples: int
    dropped_samples: int
    core_start: int
    core_end: int


@dataclass(frozen=True)
class MelSnapshot:
    """Everything a stream needs to go on from a moment."""

    buffer: MelBuffer
    base_frame: int
    next_frame: int
    n_pushes: int
    total_samples: int


class StreamingMel:
    """The mel front end of one stream.

    The floor is fixed while less than 5 s are buffered and follows the loudest value of the
    buffer from then on.
    """

    def __init__(self, settings: StreamingMelSettings | None = None) -> None:
        self.settings = settings or StreamingMelSettings()
        self.record: MelRecord | None = None
        self._buffer = MelBuffer()
        self._base_frame = 0
        self._next_frame = 0
        self._n_pushes = 0
        self._total_samples = 0

    @property
    def needed_samples(self) -> int:
        """Samples that complete exactly one more piece."""
        settings = self.settings
        return settings.chunk_samples if self._n_pushes else settings.first_chunk_samples

    def push(self, samples: Waveform, last: bool = False) -> Tensor:
        """Add samples and emit the next piece when all its frames are final.

        At most one piece comes out, however much was pushed.

        Args:
            last: emit what there is of the piece, although more sound could change its end.

        Returns:
            float32 ``[1, N_MELS, frames]``, no frames when the piece is not complete.

        Raises:
            MediaError: the samples are unusable, or fewer than one window is buffered; the
                stream is left as it was.
        """
        waveform = as_waveform(samples)
        if self._buffer.n_samples + waveform.numel() < N_FFT:
            raise MediaError(f"live audio must begin with at least {N_FFT} samples")
        self._buffer = self._buffer.append(waveform)
        self._total_samples += waveform.numel()
        self._n_pushes += 1
        self._slide()
        return self._emit(last)[None]

    def snapshot(self) -> MelSnapshot:
        """The state to come back to; later pushes do not change it."""
        return MelSnapshot(
            self._buffer, self._base_frame, self._next_frame, self._n_pushes, self._total_samples
        )

    def restore(self, snapshot: MelSnapshot) -> None:
        """Return to a snapshot of a stream with the same settings."""
        self._buffer = snapshot.buffer
        self._base_frame = snapshot.base_frame
        self._next_frame = snapshot.next_frame
        self._n_pushes = snapshot.n_pushes
        self._total_samples = snapshot.total_samples

    def _slide(self) -> None:
        settings = self.settings
        if self._buffer.n_samples >= settings.slide_trigger_s * SAMPLE_RATE:
            stride_frames = int(settings.slide_stride_s * FRAMES_PER_SECOND)
            self._buffer = self._buffer.drop(stride_frames)
            self._base_frame += stride_frames

    def _emit(self, last: bool) -> Tensor:
        """Cut the next piece out of the features of the whole buffer."""
        buffer = self._buffer
        core_start = self._next_frame
        core_end = core_start + self.settings.chunk_frames
        redundancy = self.settings.redundancy_frames
        first, end = core_start - redundancy, core_end + redundancy
        piece = torch.zeros(N_MELS, 0)
        if last or self._base_frame + buffer.stable_frames >= end:
            piece = self._features(first - self._base_frame, end - self._base_frame)
            self._next_frame = core_end
        self.record = MelRecord(
            n_pushes=self._n_pushes,
            emitted_frames=piece.shape[1],
            total_frames=buffer.n_frames,
            stable_frames=buffer.stable_frames,
            base_frame=self._base_frame,
            buffer_samples=buffer.n_samples,
            dropped_samples=self._base_frame * HOP_LENGTH,
            core_start=core_start,
            core_end=core_end,
        )
        return piece

    def _features(self, first: int, end: int) -> Tensor:
        """Frames of the buffer, as far as it has them, floored by the whole of it."""
        buffer = self._buffer
        dynamic = buffer.n_samples >= _DYNAMIC_FLOOR_S * SAMPLE_RATE
        power = buffer.log_power(max(first, 0), max(first, end, 0))
        return normalise(power, buffer.loudest if dynamic else None)
