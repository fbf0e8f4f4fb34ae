"""What turns audio codes into sound, whichever implementation does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from MiniCPMO45.stepaudio2_vocoder import LIBRARY, LibraryVocoder
from MiniCPMO45.token2wav import Token2Wav, Token2WavOptions

VocoderBackend = Literal["native", "stepaudio2"]


class Vocoder(Protocol):
    """Renders the audio codes of one turn; keeps what it needs between calls."""

    def push(self, codes: Sequence[int], *, last: bool) -> Tensor:
        """Sound of ``codes``, float32 ``[n]`` at 24 kHz.

        Unless ``last``, the final three codes are only looked at and must be given again. In a
        lane it is done when it is this conversation's turn, together with others where it can.
        """
        ...


class SpeechRenderer(Protocol):
    """Makes vocoders that speak in the voice of a recording."""

    def prepare_voice(self, samples: np.ndarray | Tensor, sample_rate: int) -> Any:
        """Listen to a reference recording; what comes back is for :meth:`stream`.

        Raises:
            MediaError: silent, shorter than 0.5 s, longer than 30 s, or not usable as sound.
        """
        ...

    def stream(self, voice: Any) -> Vocoder:
        """A fresh vocoder in ``voice``."""
        ...


def load_renderer(folder: Path, device: torch.device, backend: VocoderBackend) -> SpeechRenderer:
    """What is configured, from a token2wav folder.

    Raises:
        CheckpointError: the folder is damaged, or the backend cannot run here.
    """
    if backend == LIBRARY:
        flow_steps = Token2WavOptions().flow_steps
        return LibraryVocoder.load(folder, device=device, flow_steps=flow_steps)
    return Token2Wav.load(folder, device=device)
