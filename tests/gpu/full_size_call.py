"""Units of a full-duplex call at the published sizes, with decisions given instead of drawn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import cycle
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.sessions.duplex import DuplexSession, UnitResult
from MiniCPMO45.sessions.duplex_decision import Decider
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from tests.gpu.full_size_speech import random_token2wav, random_voice

PREFIX = "<|im_start|>system\nStreaming Omni Conversation.\n<|audio_start|>"
SUFFIX = "<|audio_end|><|im_end|>"
LISTEN = ["<|listen|>"]
SPEAK = ["<|speak|>", "a", "b", "c", "d", "<|chunk_eos|>"]
SECOND = np.random.default_rng(0).normal(scale=0.1, size=16000).astype(np.float32)
FRAME = Image.fromarray(np.random.default_rng(0).integers(0, 255, (448, 448, 3), dtype=np.uint8))


class TimedCall:
    """An omni call with the full-size vocoder.

    The decision is still computed from the model's scores and read back; only its outcome is
    replaced.
    """

    def __init__(self, model: MiniCPMO) -> None:
        token2wav = random_token2wav(model.device, torch.float32)
        voice = random_voice(token2wav)
        self._tokenizer = model.tokenizer
        self._session = DuplexSession(
            model,
            DuplexOptions(force_listen_count=0),
            make_vocoder=lambda: token2wav.stream(voice),
            seed=0,
        )
        self._session.prepare(PREFIX, SUFFIX)

    def close(self) -> None:
        self._session.close()

    def unit(self, words: Sequence[str]) -> tuple[float, UnitResult]:
        """Milliseconds for one unit with a frame, up to the end of its bookkeeping."""
        session = self._session
        outcomes = cycle(self._tokenizer.ids_of(list(words)))
        choose = Decider.choose

        def given(decider: Decider, scores: torch.Tensor) -> int:
            choose(decider, scores)
            return next(outcomes)

        with patch.object(Decider, "choose", given):
            torch.cuda.synchronize()
            started_s = time.perf_counter()
            session.prefill(SECOND, [FRAME])
            result = session.generate()
            session.finalize()
            torch.cuda.synchronize()
        return 1000 * (time.perf_counter() - started_s), result
