"""Half-duplex, `WS /ws/half_duplex`: spoken turns, cut where the client falls silent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from .base import ServerMessage, WireModel
from .chat_socket import StreamGenerationConfig
from .common import AudioContent, TextContent
from .socket import (
    ErrorMessage,
    QueuedMessage,
    QueueDoneMessage,
    QueueUpdateMessage,
    TruncatedMessage,
)
from .streaming_socket import StreamingChunkMessage

MAX_SYSTEM_CHARACTERS = 32_768


class HalfDuplexVadConfig(WireModel):
    """When an utterance begins and ends; `speech_pad_ms` is what it is given from before."""

    threshold: float = Field(default=0.8, gt=0, lt=1)
    min_speech_duration_ms: int = Field(default=128, ge=0, le=10_000)
    min_silence_duration_ms: int = Field(default=800, ge=0, le=10_000)
    speech_pad_ms: int = Field(default=30, ge=0, le=1_000)


class HalfDuplexTTSConfig(WireModel):
    """Whether answers are spoken or only written."""

    enabled: bool = True


class HalfDuplexSessionConfig(WireModel):
    """How long the call may last; the server has a maximum of its own."""

    timeout_s: float = Field(default=300, gt=0)


class HalfDuplexConfig(WireModel):
    """The settings of one call."""

    vad: HalfDuplexVadConfig = Field(default_factory=HalfDuplexVadConfig)
    generation: StreamGenerationConfig = Field(default_factory=StreamGenerationConfig)
    tts: HalfDuplexTTSConfig = Field(default_factory=HalfDuplexTTSConfig)
    session: HalfDuplexSessionConfig = Field(default_factory=HalfDuplexSessionConfig)


class HalfDuplexPrepareMessage(WireModel):
    """Begin the call. The first audio in `system_content` is the voice of the answers.

    Items that are empty are left out. Without any, `system_prompt` and `ref_audio_base64` are
    used, as far as they are there.
    """

    type: Literal["prepare"] = "prepare"
    system_content: list[Annotated[TextContent | AudioContent, Field(discriminator="type")]] = (
        Field(default_factory=list, max_length=64)
    )
    system_prompt: str | None = Field(default=None, max_length=MAX_SYSTEM_CHARACTERS)
    ref_audio_base64: str | None = None
    config: HalfDuplexConfig = Field(default_factory=HalfDuplexConfig)
    record: bool = True

    @field_validator("system_content", mode="before")
    @classmethod
    def _drop_empty(cls, items: Any) -> Any:
        if not isinstance(items, list):
            return items
        return [item for item in items if not _is_empty(item)]

    @field_validator("system_content")
    @classmethod
    def _limit_text(cls, items: list[TextContent | AudioContent]) -> Any:
        n_characters = sum(len(item.text) for item in items if isinstance(item, TextContent))
        if n_characters > MAX_SYSTEM_CHARACTERS:
            raise ValueError(f"the text may have {MAX_SYSTEM_CHARACTERS} characters in all")
        return items


class HalfDuplexAudioMessage(WireModel):
    """Live sound in base64: little-endian float32 PCM, mono, 16 kHz. It may be empty."""

    type: Literal["audio_chunk"] = "audio_chunk"
    audio_base64: str


class HalfDuplexPreparedMessage(ServerMessage):
    """The call has begun and ends `timeout_s` from now at the latest."""

    type: Literal["prepared"] = "prepared"
    session_id: str
    timeout_s: float
    recording_session_id: str | None = None
    warning: str | None = None


class VadStateMessage(ServerMessage):
    """The client begins or ends to speak."""

    type: Literal["vad_state"] = "vad_state"
    speaking: bool


class GeneratingMessage(ServerMessage):
    """What was said is being answered; sound is ignored until the end of the turn."""

    type: Literal["generating"] = "generating"
    speech_duration_ms: int


class TurnDoneMessage(ServerMessage):
    """The turn has ended; `stopped` says that it was ended early, `interrupted` that this cut its
    sound. Turns count from 1.
    """

    type: Literal["turn_done"] = "turn_done"
    turn_index: int
    text: str
    stopped: bool = False
    interrupted: bool | None = None
    audio_epoch: int = 0
    warning: str | None = None


class HalfDuplexTimeoutMessage(ServerMessage):
    """The call has lasted as long as it may, or nothing was said for too long; it is closed."""

    type: Literal["timeout"] = "timeout"
    elapsed_s: float
    reason: Literal["session_timeout", "idle_timeout"]


class HalfDuplexStoppedMessage(ServerMessage):
    """The client ended the call."""

    type: Literal["stopped"] = "stopped"
    session_id: str


HalfDuplexServerMessage = Annotated[
    QueuedMessage
    | QueueUpdateMessage
    | QueueDoneMessage
    | HalfDuplexPreparedMessage
    | VadStateMessage
    | GeneratingMessage
    | StreamingChunkMessage
    | TurnDoneMessage
    | TruncatedMessage
    | HalfDuplexTimeoutMessage
    | HalfDuplexStoppedMessage
    | ErrorMessage,
    Field(discriminator="type"),
]


def _is_empty(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    match item.get("type"):
        case "text":
            return item.get("text") in (None, "")
        case "audio":
            return item.get("data") in (None, "")
    return False
