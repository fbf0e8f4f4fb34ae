"""One-shot chat: `POST /api/chat` at the gateway, `POST /chat` at a worker."""

from __future__ import annotations

from pydantic import Field

from .base import WireModel
from .common import SPEECH_SAMPLE_RATE, GenerationConfig, ImageConfig, Message, TTSConfig


class ChatRequest(WireModel):
    """A whole conversation that asks for one answer."""

    messages: list[Message] = Field(min_length=1)
    generation: GenerationConfig = Field(default_factory=GenerationConfig)
    tts: TTSConfig = Field(default_factory=TTSConfig)
    image: ImageConfig = Field(default_factory=ImageConfig)
    use_tts_template: bool = False
    omni_mode: bool = False
    enable_thinking: bool = False
    return_prompt: bool = False
    record: bool = True


class ChatResponse(WireModel):
    """The answer; a model failure is told by `success` and `error`, with empty `text`.

    `warning` says what part of the request could not be served although the answer is good.
    """

    text: str
    audio_path: str | None = None
    audio_data: str | None = None
    audio_sample_rate: int = SPEECH_SAMPLE_RATE
    tokens_generated: int | None = None
    duration_ms: float | None = None
    prompt: str | None = None
    token_stats: dict[str, int] | None = None
    recording_session_id: str | None = None
    error: str | None = None
    success: bool = True
    warning: str | None = None
