"""Turn-based streaming and half-duplex: requests, chunks and their sum."""

from __future__ import annotations

from pydantic import Field

from .base import WireModel
from .common import (
    SPEECH_SAMPLE_RATE,
    GenerationConfig,
    ImageConfig,
    Message,
    TTSSamplingParams,
)


class StreamingConfig(WireModel):
    """How an answer is spoken while it is written."""

    generate_audio: bool = True
    audio_token_chunk_size: int = Field(default=25, ge=1)
    ref_audio_path: str | None = None
    ref_audio_data: str | None = None
    enable_speculative_snapshot: bool = False
    tts_sampling: TTSSamplingParams = Field(default_factory=TTSSamplingParams)


class StreamingRequest(WireModel):
    """Messages to add to a running conversation."""

    session_id: str
    messages: list[Message] = Field(min_length=1)
    is_last_chunk: bool = False
    generation: GenerationConfig = Field(default_factory=GenerationConfig)
    streaming: StreamingConfig = Field(default_factory=StreamingConfig)
    omni_mode: bool = True
    use_tts_template: bool = True
    enable_thinking: bool = False
    image: ImageConfig = Field(default_factory=ImageConfig)


class StreamingChunk(WireModel):
    """One piece of an answer: new text, new sound, or the mark that it has ended."""

    chunk_index: int
    text_delta: str | None = None
    audio_data: str | None = None
    audio_sample_rate: int = SPEECH_SAMPLE_RATE
    is_final: bool = False
    duration_ms: float | None = None


class StreamingResponse(WireModel):
    """All chunks of one answer put together."""

    session_id: str
    full_text: str
    total_chunks: int
    total_duration_ms: float
    audio_path: str | None = None
    audio_data: str | None = None
    audio_duration_ms: float | None = None
    error: str | None = None
    audio_sample_rate: int = SPEECH_SAMPLE_RATE
    success: bool = True


class RollbackResult(WireModel):
    """Whether a speculative turn was taken back, and to which position."""

    success: bool
    reason: str | None = None
    restored_position: int | None = None
