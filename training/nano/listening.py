"""The two networks that listen, as serving runs them: the graphs of a token2wav folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from MiniCPMO45.token2wav.prompt import SPEAKER_ENCODER, SPEECH_TOKENIZER


class Listener:
    """Sound to codes and speakers, one thread for each call."""

    def __init__(self, folder: Path) -> None:
        """Open the graphs of a token2wav folder."""
        self._tokenizer = _opened(folder / SPEECH_TOKENIZER)
        self._speaker = _opened(folder / SPEAKER_ENCODER)

    def codes(self, features: NDArray[np.float32]) -> list[int]:
        """Ids of `tokenizer_features`, ``[128, T]``, one for four frames."""
        length = np.array([features.shape[1]], np.int32)
        return _run(self._tokenizer, features[None], length).reshape(-1).tolist()

    def speaker(self, banks: NDArray[np.float32]) -> NDArray[np.float32]:
        """The embedding ``[192]`` of `filter_banks`, ``[m, 80]``."""
        return _run(self._speaker, banks[None]).reshape(-1)


def _opened(path: Path) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(str(path), sess_options=settings, providers=providers)


def _run(session: onnxruntime.InferenceSession, *inputs: NDArray[Any]) -> NDArray[Any]:
    names = [node.name for node in session.get_inputs()]
    return np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])
