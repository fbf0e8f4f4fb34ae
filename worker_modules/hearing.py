"""What a caller says, cut into the utterances that get an answer."""

from __future__ import annotations

import numpy as np

from core.schemas import MODEL_SAMPLE_RATE, HalfDuplexVadConfig
from core.vad import StreamingVAD, StreamingVadOptions


class Hearing:
    """Listens to one call. Loading the network may take a moment, so it is made off the event loop.

    Args:
        start_guard_s: sound at the very beginning that is not heard.

    Raises:
        UnsupportedError: voice activity detection is not installed.
    """

    def __init__(self, config: HalfDuplexVadConfig, start_guard_s: float) -> None:
        self._vad = StreamingVAD(StreamingVadOptions(**config.model_dump()))
        self._n_ignored = round(start_guard_s * MODEL_SAMPLE_RATE)
        self._utterances: list[np.ndarray] = []

    @property
    def is_speaking(self) -> bool:
        """Whether the caller speaks now."""
        return self._vad.is_speaking

    def hear(self, waveform: np.ndarray) -> list[bool]:
        """Take in live sound, float32 [n_samples] at 16 kHz.

        Returns every change in it: True where speech begins, False where it ends.
        """
        n_ignored = min(self._n_ignored, len(waveform))
        self._n_ignored -= n_ignored
        edges = self._vad.edges(waveform[n_ignored:])
        self._utterances += [edge.segment for edge in edges if edge.segment is not None]
        return [edge.is_speaking for edge in edges]

    def take_utterances(self) -> list[np.ndarray]:
        """What wants an answer now; the caller, who may still go on, is let finish first.

        Someone who never pauses is answered when the longest utterance is full.
        """
        n_samples = sum(len(utterance) for utterance in self._utterances)
        is_full = n_samples >= self._vad.options.max_speech_duration_s * MODEL_SAMPLE_RATE
        if self.is_speaking and not is_full:
            return []
        utterances, self._utterances = self._utterances, []
        return utterances

    def begin_turn(self) -> None:
        """Listen afresh; the sound around an answer does not belong together."""
        self._vad.reset()
        self._utterances = []
