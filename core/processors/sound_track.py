"""The sound track of a media file as the model hears it."""

from __future__ import annotations

import av
import numpy as np
from av.container import InputContainer

from core.schemas import MODEL_SAMPLE_RATE


def read_sound_track(container: InputContainer) -> np.ndarray:
    """The first audio stream as float32 [n_samples], 16 kHz mono; empty when it holds nothing.

    Raises:
        IndexError: there is no audio stream.
        FFmpegError: it is damaged.
    """
    resampler = av.AudioResampler(format="flt", layout="mono", rate=MODEL_SAMPLE_RATE)
    pieces = [
        resampled.to_ndarray()[0]
        for frame in [*container.decode(container.streams.audio[0]), None]
        for resampled in resampler.resample(frame)
    ]
    return np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)
