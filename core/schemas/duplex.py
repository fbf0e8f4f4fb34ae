"""Full-duplex: session settings, one result a unit, and the offline run of a recording."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .base import WireModel
from .common import MODEL_SAMPLE_RATE

MAX_SLICES = 16


class DuplexConfig(WireModel):
    """The settings of one full-duplex session.

    The last block has no published counterpart: left out, the service's own settings hold.
    `chunk_ms` tells how long the client's chunks are; any length is taken.
    """

    generate_audio: bool = True
    ls_mode: Literal["explicit"] = "explicit"
    force_listen_count: int = Field(default=3, ge=0, le=3600)
    max_new_speak_tokens_per_chunk: int = Field(default=20, ge=1, le=100)
    decode_mode: Literal["sampling", "greedy"] = "sampling"
    temperature: float = Field(default=0.7, ge=0.0, le=2.0)
    top_k: int = Field(default=20, ge=0, le=100_000)
    top_p: float = Field(default=0.8, ge=0.0, le=1.0)
    text_repetition_penalty: float = Field(default=1.05, ge=1.0, le=10.0)
    text_repetition_window_size: int = Field(default=512, ge=1, le=8192)
    length_penalty: float = Field(default=1.1, ge=0.1, le=5.0)
    listen_prob_scale: float = Field(default=1.0, ge=0.0, le=100.0)
    listen_top_k: int | None = Field(default=None, ge=0, le=100_000)
    tts_temperature: float = Field(default=0.8, ge=0.0, le=2.0)
    chunk_ms: int = Field(default=1000, ge=100, le=5000)
    sample_rate: Literal[16000] = MODEL_SAMPLE_RATE

    max_slice_nums: int | None = Field(default=None, ge=1, le=MAX_SLICES)
    listen_in_open_turn: Literal["continue", "close"] | None = None
    penalize_control_tokens: bool | None = None
    penalize_cut_tokens: bool | None = None
    speak_first_token: bool | None = None
    speech_top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    speech_top_k: int | None = Field(default=None, ge=0, le=100_000)
    speech_penalty_across_units: bool | None = None


class DuplexPrepareRequest(WireModel):
    """What a session starts from."""

    prefix_system_prompt: str | None = None
    suffix_system_prompt: str | None = None
    ref_audio_path: str | None = None
    prompt_wav_path: str | None = None


class DuplexPrefillRequest(WireModel):
    """One unit of input: sound, frames or both."""

    audio_waveform: list[float] | None = None
    audio_path: str | None = None
    frame_list: list[Any] | None = None
    max_slice_nums: int = Field(default=1, ge=1, le=MAX_SLICES)


class DuplexGenerateResult(WireModel):
    """What the model did in one unit: listen, or speak with text and sound."""

    is_listen: bool
    text: str = ""
    audio_data: str | None = None
    end_of_turn: bool = False
    current_time: int = 0
    cost_llm_ms: float | None = None
    cost_tts_prep_ms: float | None = None
    cost_tts_ms: float | None = None
    cost_token2wav_ms: float | None = None
    cost_all_ms: float | None = None
    n_tokens: int | None = None
    n_tts_tokens: int | None = None
    server_send_ts: float | None = None


class DuplexOfflineInput(WireModel):
    """A recording to run through a full-duplex session without a live client."""

    system_prompt: str = "You are a helpful assistant."
    user_audio_path: str | None = None
    ref_audio_path: str | None = None
    image_paths: list[str] | None = None
    config: DuplexConfig = Field(default_factory=DuplexConfig)


class DuplexChunkResult(WireModel):
    """One unit of an offline run."""

    chunk_idx: int
    phase: str
    is_listen: bool
    text: str = ""
    has_audio: bool = False
    audio_data: str | None = None
    end_of_turn: bool = False
    elapsed_ms: float = 0.0


class DuplexOfflineOutput(WireModel):
    """The whole offline run."""

    success: bool
    error: str | None = None
    full_text: str = ""
    total_chunks: int = 0
    audio_duration_s: float = 0.0
    total_duration_ms: float = 0.0
    chunks: list[DuplexChunkResult] = Field(default_factory=list)
