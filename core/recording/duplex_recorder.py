"""Recording of full-duplex calls, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.recording.recorder import SessionRecorder
from core.schemas import MODEL_SAMPLE_RATE, SPEECH_SAMPLE_RATE

TIMINGS = {
    "llm_ms": "cost_llm_ms",
    "tts_prep_ms": "cost_tts_prep_ms",
    "tts_ms": "cost_tts_ms",
    "token2wav_ms": "cost_token2wav_ms",
    "all_ms": "cost_all_ms",
    "wall_clock_ms": "wall_clock_ms",
    "n_tokens": "n_tokens",
    "n_tts_tokens": "n_tts_tokens",
    "kv_cache_length": "kv_cache_length",
    "vision_slices": "vision_slices",
    "vision_tokens": "vision_tokens",
}


class DuplexSessionRecorder(SessionRecorder):
    """One entry for each piece of sound the user sent, with what the model made of it.

    Attributes:
        turn_index: the turn of the model's next sound.
    """

    turn_index = 0

    @property
    def mode(self) -> str:
        return "duplex"

    def record_chunk(
        self,
        index: int,
        receive_ts_ms: float,
        result_dict: Mapping[str, Any],
        prefill_ms: float | None = None,
        user_audio_rel: str | None = None,
        user_frame_rel: str | None = None,
        ai_audio_rel: str | None = None,
        ai_audio_samples: int = 0,
        user_audio_samples: int = 0,
    ) -> None:
        """A chunk was answered.

        Args:
            receive_ts_ms: since the session began.
            result_dict: the `result` message; its sound is not looked at.
            ai_audio_samples: of the sound in `ai_audio_rel`, at 24 kHz.
            user_audio_samples: of the sound in `user_audio_rel`, at 16 kHz, where that is known.
        """
        chunk: dict[str, Any] = {"index": index, "receive_ts_ms": round(receive_ts_ms, 1)}
        if user_audio_rel is not None:
            chunk["user_audio"] = user_audio_rel
        if user_audio_samples:
            chunk["user_audio_duration_ms"] = user_audio_samples * 1000 / MODEL_SAMPLE_RATE
        if user_frame_rel is not None:
            chunk["user_frame"] = user_frame_rel
        speaks = not result_dict["is_listen"]
        result: dict[str, Any] = {
            "mode": "SPEAK" if speaks else "LISTEN",
            "timing": _timing(result_dict, prefill_ms),
        }
        if result_dict.get("skipped"):
            result["skipped"] = result_dict.get("reason")
        if speaks and result_dict.get("text"):
            result["text"] = result_dict["text"]
        if speaks and ai_audio_rel is not None:
            result["ai_audio"] = ai_audio_rel
            result["ai_audio_duration_ms"] = round(ai_audio_samples / SPEECH_SAMPLE_RATE * 1000)
        if speaks and result_dict.get("end_of_turn"):
            result["end_of_turn"] = True
            self.turn_index += 1
        self._note(
            {
                "event": "chunk",
                "audio_epoch": result_dict.get("audio_epoch", 0),
                "sent_ms": self.elapsed_ms,
                "chunk": chunk | {"result": result},
            }
        )

    def record_cut(self, audio_epoch: int) -> None:
        """The speech of this epoch was cut off."""
        self.turn_index += 1
        self._note({"event": "cut", "audio_epoch": audio_epoch, "at_ms": self.elapsed_ms})

    def record_playback(self, audio_epoch: int, played_ms: float) -> None:
        """The client has played so much of an epoch."""
        self._note({"event": "playback", "audio_epoch": audio_epoch, "played_ms": played_ms})


def _timing(result: Mapping[str, Any], prefill_ms: float | None) -> dict[str, int | float]:
    """What was spent, without what did not happen."""
    values = {"prefill_ms": prefill_ms}
    values |= {name: result.get(field) for name, field in TIMINGS.items()}
    return {
        name: round(value, 1) if isinstance(value, float) else value
        for name, value in values.items()
        if value is not None
    }
