"""How an answer is to sound, read from a request."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.processors.voices import REFERENCE_FIELD, Voices
from core.schemas import TTSConfig
from MiniCPMO45.speech_sampling import SpeechSampling

SPEECH_UNAVAILABLE = (
    "speech output needs assets/token2wav beside the weights; the answer is text only"
)
LOWEST_TEMPERATURE = 1e-5  # codes are always drawn; this cold, the best one is


@dataclass(frozen=True)
class SpeechTask:
    """How the answer is to sound: like `recording`, float32 [n_samples] at 16 kHz, which the client
    sent in `field`.
    """

    recording: np.ndarray
    sampling: SpeechSampling
    field: str = REFERENCE_FIELD


def read_speech(
    voices: Voices, tts: TTSConfig, field: str = REFERENCE_FIELD
) -> tuple[SpeechTask | None, str | None]:
    """What to speak with, if the answer is to be spoken and can be, and a warning.

    Args:
        field: what the client calls its recording.

    Raises:
        InvalidFieldError, TooLargeError: the reference voice cannot be used.
    """
    if not tts.enabled:
        return None, None
    if not voices.can_speak:
        return None, SPEECH_UNAVAILABLE
    recording, warning = voices.choose(tts, field)
    sampling = SpeechSampling(
        temperature=max(tts.sampling.temperature, LOWEST_TEMPERATURE),
        top_p=tts.sampling.top_p,
        top_k=tts.sampling.top_k,
        repetition_penalty=tts.sampling.repetition_penalty,
    )
    return SpeechTask(recording, sampling, field), warning
