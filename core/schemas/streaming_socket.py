"""Turn-based streaming, `WS /ws/streaming`: a conversation whose turns build on one another."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from .base import ServerMessage, WireModel
from .chat_socket import StreamGenerationConfig
from .common import ContentType, Message
from .socket import (
    ErrorMessage,
    QueuedMessage,
    QueueDoneMessage,
    QueueUpdateMessage,
    TruncatedMessage,
)
from .streaming import StreamingChunk


class StreamingPrefillMessage(WireModel):
    """Messages to read; several may come before one `generate`.

    Content items that are empty or of an unknown type are left out, and so are messages that are
    empty without them. `clear_kv_cache`, `history_hash`, `audio_epoch`, the epoch to go on from,
    and `recording_session_id`, the recording to go on with, are said by the gateway to a worker.
    """

    type: Literal["prefill"] = "prefill"
    messages: list[Message] = Field(min_length=1)
    session_id: str | None = None
    is_last_chunk: bool = True
    omni_mode: bool = True
    max_slice_nums: int | None = Field(default=None, ge=1, le=16)
    tts_ref_audio_base64: str | None = None
    ref_audio_base64: str | None = None
    use_tts_template: bool = True
    enable_thinking: bool = False
    generation: StreamGenerationConfig | None = None
    record: bool = True
    clear_kv_cache: bool = False
    history_hash: str | None = None
    audio_epoch: int = Field(default=0, ge=0)
    recording_session_id: str | None = None

    @field_validator("messages", mode="before")
    @classmethod
    def _drop_empty(cls, messages: Any) -> Any:
        if not isinstance(messages, list):
            return messages
        return [kept for message in messages if (kept := _without_empty_items(message)) is not None]


class StreamingGenerateMessage(WireModel):
    """Answer what was read. What is left out is taken from `generation` of the prefill."""

    type: Literal["generate"] = "generate"
    session_id: str | None = None
    generate_audio: bool = True
    max_new_tokens: int = Field(default=256, ge=1, le=4096)
    length_penalty: float = Field(default=1.1, ge=0.1, le=5.0)


class StreamingCloseMessage(WireModel):
    """The end of the socket; with a hash, a worker keeps the conversation under it."""

    type: Literal["close"] = "close"
    history_hash: str | None = None


class StreamingPrefillDoneMessage(ServerMessage):
    """The messages are read, behind `cached_tokens` that were in the cache already."""

    type: Literal["prefill_done"] = "prefill_done"
    prompt_length: int
    message_count: int
    cached_tokens: int
    input_tokens: int
    recording_session_id: str | None = None


class CacheMissMessage(ServerMessage):
    """From a worker to the gateway: the conversation is not kept any more, send it as a whole."""

    type: Literal["cache_miss"] = "cache_miss"


class StreamingChunkMessage(StreamingChunk, ServerMessage):
    """New text or new sound; the last one is final and brings neither."""

    type: Literal["chunk"] = "chunk"
    audio_epoch: int = 0

    def to_wire(self) -> dict[str, Any]:
        """All fields: nothing new is said by a null."""
        return self.model_dump(mode="json")


class StreamingDoneMessage(ServerMessage):
    """The turn has ended; `stopped` says that it was ended early, `interrupted` that this cut its
    sound.
    """

    type: Literal["done"] = "done"
    elapsed_ms: float
    session_id: str | None = None
    stopped: bool = False
    token_stats: dict[str, int]
    full_text: str
    total_chunks: int
    total_duration_ms: float
    interrupted: bool | None = None
    audio_epoch: int = 0
    recording_session_id: str | None = None
    warning: str | None = None


StreamingServerMessage = Annotated[
    QueuedMessage
    | QueueUpdateMessage
    | QueueDoneMessage
    | StreamingPrefillDoneMessage
    | StreamingChunkMessage
    | StreamingDoneMessage
    | TruncatedMessage
    | ErrorMessage,
    Field(discriminator="type"),
]


def _without_empty_items(message: Any) -> Any:
    """The message with the content items that say something; None when there are none."""
    if not isinstance(message, dict) or not isinstance(message.get("content"), list | str):
        return message
    content = message["content"]
    if isinstance(content, list):
        content = [item for item in content if not _is_empty(item)]
    return {**message, "content": content} if content else None


def _is_empty(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    kind = item.get("type")
    if not isinstance(kind, str) or kind not in set(ContentType):
        return True
    payload = item.get("text" if kind == ContentType.TEXT else "data")
    return payload is None or payload == ""
