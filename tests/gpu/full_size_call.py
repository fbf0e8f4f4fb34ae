"""Units of full-duplex calls at the published sizes, with decisions given instead of drawn."""

from __future__ import annotations

import gc
import time
from collections.abc import Generator, Sequence
from itertools import cycle

import numpy as np
import torch
from PIL import Image

from MiniCPMO45 import MiniCPMO
from MiniCPMO45.sessions.duplex import DuplexSession, UnitResult
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.token2wav import Token2Wav, Voice

PREFIX = "<|im_start|>system\nStreaming Omni Conversation.\n<|audio_start|>"
SUFFIX = "<|audio_end|><|im_end|>"
LISTEN = ["<|listen|>"]
SPEAK = ["<|speak|>", "a", "b", "c", "d", "<|chunk_eos|>"]
END_TURN = ["<|speak|>", "a", "b", "c", "d", "<|turn_eos|>", "<|listen|>"]
SECOND = np.random.default_rng(0).normal(scale=0.1, size=16000).astype(np.float32)
FRAME = Image.fromarray(np.random.default_rng(0).integers(0, 255, (448, 448, 3), dtype=np.uint8))


class ScriptedCall:
    """A call with the full-size vocoder.

    Decisions are still computed from the model's scores and read back; only their outcome is
    replaced.
    """

    def __init__(
        self, model: MiniCPMO, token2wav: Token2Wav, voice: Voice, *, with_pictures: bool = True
    ) -> None:
        self._tokenizer = model.tokenizer
        self._frames = [FRAME] if with_pictures else []
        self._session = DuplexSession(
            model,
            DuplexOptions(force_listen_count=0),
            make_vocoder=lambda: token2wav.stream(voice),
            seed=0,
        )
        self._session.prepare(PREFIX, SUFFIX)

    def close(self) -> None:
        self._session.close()

    @property
    def counts(self) -> dict[str, int]:
        """What may make one unit slower than another: positions of the caches, units that were
        forgotten so far, and what the process has done so far besides the call."""
        session, stats = self._session, torch.cuda.memory_stats()
        return {
            "kv_length": session.slot.length,
            "ear_frames": session.hearing.encoder_length,
            "forgotten": session.memory.n_dropped_units,
            "device_allocations": stats["num_device_alloc"],
            "host_allocations": torch.cuda.host_memory_stats()["num_host_alloc"],
            "full_collections": gc.get_stats()[-1]["collections"],
        }

    def steps(self, words: Sequence[str]) -> Generator[None, None, UnitResult]:
        """One unit that chooses these words, in the steps that a worker takes."""
        session = self._session
        outcomes = cycle(self._tokenizer.ids_of(list(words)))
        decider = session.decider
        choose = type(decider).choose

        def given(scores: torch.Tensor) -> int:
            choose(decider, scores)
            return next(outcomes)

        decider.choose = given  # type: ignore[method-assign]
        session.prefill(SECOND, self._frames)
        yield
        result = yield from session.steps()
        session.finalize()
        return result

    def unit(self, words: Sequence[str]) -> tuple[float, UnitResult]:
        """Milliseconds of one unit, up to the end of its bookkeeping."""
        torch.cuda.synchronize()
        started_s = time.perf_counter()
        steps = self.steps(words)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                torch.cuda.synchronize()
                return 1000 * (time.perf_counter() - started_s), end.value
