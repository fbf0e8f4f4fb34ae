"""What a call decided for one chunk, and its words on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.processors.sound import float_base64
from core.schemas import DuplexGenerateResult
from MiniCPMO45.sessions.duplex import UnitResult

COST_NAMES = ("llm", "tts_prep", "tts", "token2wav", "whole")


@dataclass
class Decision:
    """What became of one chunk: the results of all units it completed, put together.

    `waveform` is float32 [n_samples] at 24 kHz. Without a unit the model decided nothing.
    """

    n_units: int = 0
    is_listen: bool = True
    text: str = ""
    waveform: np.ndarray | None = None
    end_of_turn: bool = False
    interrupted: bool = False
    units_so_far: int = 0
    n_tokens: int = 0
    n_speech_tokens: int = 0
    n_slices: int = 0
    prefill_s: float = 0.0
    costs_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(COST_NAMES, 0.0))
    kv_cache_length: int = 0

    def add(self, result: UnitResult, n_slices: int) -> None:
        """Count in one more unit."""
        self.n_units += 1
        self.is_listen = self.is_listen and result.is_listen
        self.text += result.text
        if result.waveform is not None:
            earlier = [] if self.waveform is None else [self.waveform]
            self.waveform = np.concatenate([*earlier, result.waveform.numpy()])
        self.end_of_turn = self.end_of_turn or result.end_of_turn
        self.interrupted = self.interrupted or result.interrupted
        self.units_so_far = result.n_units
        self.n_tokens += result.n_tokens
        self.n_speech_tokens += result.n_speech_tokens
        self.n_slices += n_slices
        for name in COST_NAMES:
            self.costs_s[name] += getattr(result.costs_s, name)


def generate_result(decision: Decision) -> DuplexGenerateResult:
    """What was decided, said and spent; a stage that did not run costs nothing and says null."""
    costs_ms = {name: round(decision.costs_s[name] * 1000, 2) or None for name in COST_NAMES}
    return DuplexGenerateResult(
        is_listen=decision.is_listen,
        text=decision.text,
        audio_data=None if decision.waveform is None else float_base64(decision.waveform),
        end_of_turn=decision.end_of_turn,
        current_time=decision.units_so_far,
        cost_llm_ms=costs_ms["llm"],
        cost_tts_prep_ms=costs_ms["tts_prep"],
        cost_tts_ms=costs_ms["tts"],
        cost_token2wav_ms=costs_ms["token2wav"],
        cost_all_ms=costs_ms["whole"],
        n_tokens=decision.n_tokens if decision.n_units else None,
        n_tts_tokens=decision.n_speech_tokens if decision.n_units else None,
    )
