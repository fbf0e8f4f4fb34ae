"""Replays one recorded full-duplex conversation unit by unit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from MiniCPMO45 import MiniCPMO, speech_tokens
from MiniCPMO45.sessions import duplex_decision
from MiniCPMO45.sessions.duplex import DuplexSession, UnitResult
from MiniCPMO45.sessions.duplex_options import DuplexOptions, DuplexWindow
from MiniCPMO45.sessions.duplex_voice import DuplexVoice
from tests.golden.arrays import RecordedArrays
from tests.golden.case import Case
from tests.golden.context import Context
from tests.golden.inputs import build_input
from tests.golden.speech import BestCode, RecordingVocoder

SCORE_ABSOLUTE = 5e-4
SUM_ABSOLUTE = 1e-3


@dataclass
class BestChoice:
    """Stands in for the choice of text tokens and remembers how close each one was."""

    gaps: list[float] = field(default_factory=list)

    def __call__(self, scores: Tensor) -> Tensor:
        values, indices = scores.topk(2)
        self.gaps.append(float(values[0] - values[1]))
        return indices[0]


@dataclass
class RecordingVoice:
    """A voice that also keeps what it was asked to say."""

    voice: DuplexVoice
    conditions: list[Tensor] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    codes: list[list[int]] = field(default_factory=list)

    def speak(self, rows: Tensor, *, end_of_turn: bool) -> list[int]:
        self.conditions.append(rows)
        self.starts.append(self.voice.decoder.position)
        codes = self.voice.speak(rows, end_of_turn=end_of_turn)
        self.codes.append(codes)
        return codes

    def __getattr__(self, name: str) -> Any:
        return getattr(self.voice, name)


def options_of(recorded: dict[str, Any]) -> DuplexOptions:
    asked, setup = recorded["generate_options"], recorded["setup"]
    renamed = {
        "mode": setup.get("sliding_window_mode", "off"),
        "high": setup.get("basic_window_high_tokens", 4000),
        "low": setup.get("basic_window_low_tokens", 3500),
        "max_units": setup.get("context_max_units", 24),
        "previous_max": setup.get("context_previous_max_tokens", 500),
    }
    kept = {key: value for key, value in asked.items() if key != "decode_mode"}
    return DuplexOptions(
        do_sample=False,
        generate_audio=setup.get("generate_audio", True),
        force_listen_count=setup.get("force_listen_count", 0),
        tts_temperature=setup.get("tts_temperature", 1e-5),
        window=DuplexWindow(**renamed),
        **kept,
    )


@contextmanager
def exchanged_rows(model: MiniCPMO, recorded: dict[str, Any]) -> Iterator[None]:
    """Two rows of the output head exchanged for the time being, where the setup says so."""
    rows = model.tokenizer.ids_of(recorded["setup"].get("lm_head_rows_exchanged", []))
    weight = model.llm.lm_head.weight
    swapped = list(reversed(rows))
    with torch.inference_mode():
        weight[rows] = weight[swapped].clone()
        try:
            yield
        finally:
            weight[rows] = weight[swapped].clone()


def replay(case: Case, context: Context, recorded: dict[str, Any], arrays: RecordedArrays) -> None:
    """Run the conversation and check every unit against the recording."""
    vocoder, best, chosen = RecordingVocoder(), BestCode(), BestChoice()
    prepare = recorded["prepare"]
    with (
        exchanged_rows(context.model, recorded),
        patch.object(speech_tokens, "draw_code", best),
        patch.object(duplex_decision, "best_token", chosen),
        DuplexSession(
            context.model,
            options_of(recorded),
            make_vocoder=(lambda: vocoder) if "prompt_wav_path" in prepare else None,
            compat=context.compat,
            seed=0,
        ) as session,
    ):
        reference = build_input(prepare.get("ref_audio"))
        length = session.prepare(
            prepare["prefix_system_prompt"], prepare["suffix_system_prompt"], reference
        )
        case.equal("cache_after_prepare", recorded["cache_after_prepare"], length)
        if session.voice is not None:
            session.voice = RecordingVoice(session.voice)  # type: ignore[assignment]
        unit = Unit(case, session, vocoder, best, chosen, arrays, recorded["name"])
        for index, entry in enumerate(recorded["units"]):
            if not unit.check(index, entry):
                break
        else:
            if f"{recorded['name']}.probe_logits" in arrays:
                probe = session.scores(session.feed_ids(session.model.tokenizer.ids_of(["<unit>"])))
                key = f"{recorded['name']}.probe_logits"
                case.close(key, arrays[key].reshape(-1), probe[-1], absolute=SCORE_ABSOLUTE)  # type: ignore[union-attr]


@dataclass
class Unit:
    """Feeds and checks one unit after the other."""

    case: Case
    session: DuplexSession
    vocoder: RecordingVocoder
    best: BestCode
    chosen: BestChoice
    arrays: RecordedArrays
    conversation: str

    def check(self, index: int, entry: dict[str, Any]) -> bool:
        """Whether the conversation can go on after this unit."""
        name, case, session = f"unit {index}", self.case, self.session
        self.vocoder.calls.clear()
        self.chosen.gaps.clear()
        if entry.get("action") == "set_session_stop":
            session.stop()
        asked = entry["input"]
        heard = session.prefill(
            build_input(asked.get("audio")),
            build_input(asked.get("frames", [])),
            asked.get("max_slice_nums", 1),
        )
        case.equal(f"{name} prefill_success", entry["prefill_success"], heard.success)
        case.equal(f"{name} cache", entry["cache_after_prefill"], session.kv_cache_length)
        encoder_length = session.hearing.encoder_length
        case.equal(f"{name} encoder cache", entry["audio_encoder_cache"] or 0, encoder_length)
        if "pending_top5" in entry:
            self._check_scores(f"unit{index}", entry["pending_top5"])
        forced = bool(entry.get("generate_override", {}).get("force_listen_override"))
        result = session.generate(force_listen=forced)
        length = session.kv_cache_length
        case.equal(f"{name} cache after generate", entry["cache_after_generate"], length)
        pending = session.state.name == "UNFINALIZED"
        case.equal(f"{name} finalize_pending", entry["finalize_pending"], pending)
        if pending:
            session.finalize()
            gaps = [min(self.chosen.gaps, default=float("inf"))] * len(session.unit_ids)
            if not case.ids(f"{name} ids", entry["ids"], session.unit_ids, gaps):
                return False
        length = session.kv_cache_length
        case.equal(f"{name} cache after finalize", entry["cache_after_finalize"], length)
        self._check_result(name, entry, result)
        self._check_window(name, entry)
        return self._check_speech(name, f"unit{index}", entry)

    def _check_scores(self, unit: str, top5: list[list[float]]) -> None:
        scores = self.session.pending_scores
        values = scores[[int(index) for index, _ in top5]]
        recorded = [value for _, value in top5]
        self.case.close(f"{unit} top5", recorded, values, absolute=SCORE_ABSOLUTE)
        key = f"{self.conversation}.{unit}.pending_logits"
        if key in self.arrays:
            self.case.close(key, self.arrays[key], scores, absolute=SCORE_ABSOLUTE)

    def _check_result(self, name: str, entry: dict[str, Any], result: UnitResult) -> None:
        ours = {
            "is_listen": result.is_listen,
            "text": result.text,
            "end_of_turn": result.end_of_turn,
            "current_time": result.n_units,
            "n_tokens": result.n_tokens,
            "n_tts_tokens": result.n_speech_tokens,
            "audio_samples": 0 if result.waveform is None else result.waveform.numel(),
            "speaking_turn_open": self.session.turn_open,
        }
        self.case.equal(name, {key: entry[key] for key in ours}, ours)

    def _check_window(self, name: str, entry: dict[str, Any]) -> None:
        if "window" not in entry:
            return
        memory, window = self.session.memory, entry["window"]
        previous = [*memory.marker_ids, *memory.remembered_ids] if memory.has_previous else []
        ours = {
            "cache": self.session.kv_cache_length,
            "protected": memory.protected_length,
            "unit_lengths": [unit.length for unit in memory.units],
            "previous_ids": previous,
            "events": memory.n_events,
            "dropped_tokens": memory.n_dropped_tokens,
            "dropped_units": memory.n_dropped_units,
        }
        self.case.equal(f"{name} window", {key: window[key] for key in ours}, ours)

    def _check_speech(self, name: str, unit: str, entry: dict[str, Any]) -> bool:
        voice = self.session.voice
        if not isinstance(voice, RecordingVoice):
            return True
        if "tts" in entry:
            recorded, codes = entry["tts"], voice.codes[-1]
            self.case.equal(f"{name} start", recorded["start_position"], voice.starts[-1])
            rows = voice.conditions[-1]
            self.case.equal(f"{name} condition", recorded["condition_len"], rows.shape[0])
            key = f"{self.conversation}.{unit}.tts_condition_sum"
            if key in self.arrays:
                self.case.close(key, self.arrays[key], rows.sum(-1), absolute=SUM_ABSOLUTE)
            gaps = self.best.gaps[-len(codes) - 1 :]
            if not self.case.ids(f"{name} codes", recorded["tokens"], codes, gaps):
                return False
        calls = [{"n": len(call["tokens"]), **call} for call in self.vocoder.calls]
        self.case.equal(f"{name} vocoder_calls", entry["vocoder_calls"], calls)
        self.case.equal(f"{name} buffer", entry["vocoder_buffer_after"], voice.waiting)
        return True
