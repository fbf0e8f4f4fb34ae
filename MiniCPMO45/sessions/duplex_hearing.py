"""Live audio of a full-duplex conversation, one unit at a time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.mel import as_waveform
from MiniCPMO45.model import MiniCPMO
from MiniCPMO45.streaming_mel import StreamingMel, StreamingMelSettings

REDUNDANCY_MS = 20.0


class DuplexHearing:
    """Buffers what was heard and turns whole units into embeddings.

    The first unit is padded on the left with silence; each later one takes exactly one second.
    What is left over waits for the next unit.

    Args:
        slot: the conversation's place in the caches.
    """

    def __init__(self, model: MiniCPMO, slot: int) -> None:
        self._model = model
        self._mel = StreamingMel(StreamingMelSettings(redundancy_ms=REDUNDANCY_MS))
        self._cache = model.ear.stream(slot)
        self._waiting = torch.zeros(0)

    @property
    def n_waiting(self) -> int:
        """Samples that no unit has taken yet."""
        return self._waiting.numel()

    @property
    def n_needed(self) -> int:
        """Samples the next unit takes."""
        return self._mel.needed_samples

    @property
    def rows_per_unit(self) -> int:
        """Embeddings of one unit."""
        frames = self._mel.settings.chunk_frames // 2  # of the encoder, which halves their number
        return frames // self._model.config.audio_pool_step

    @property
    def encoder_length(self) -> int:
        """Frames in the encoder's cache."""
        return self._cache.length

    def add(self, samples: np.ndarray | Tensor, *, is_first: bool) -> None:
        """Append float32 16 kHz samples; the first audio is brought to the length of a unit."""
        self._waiting = torch.cat((self._waiting, as_waveform(samples)))
        missing = self._mel.settings.padded_first_samples - self._waiting.numel()
        if is_first and missing > 0:
            self._waiting = torch.nn.functional.pad(self._waiting, (missing, 0))

    def take(self, *, is_first: bool) -> Tensor:
        """Embeddings ``[tokens, hidden]`` of the next unit; ``n_waiting`` must reach
        ``n_needed``."""
        settings = self._mel.settings
        mel = self._mel.push(self._waiting[: self.n_needed])
        used = settings.first_chunk_samples if is_first else settings.chunk_samples
        self._waiting = self._waiting[used:]
        return self._model.encode_audio_live(
            mel,
            self._cache,
            prefix_frames=0 if is_first else settings.redundancy_frames,
            suffix_frames=settings.redundancy_frames,
        )
