"""Streamed chat, `WS /ws/chat`: one request a socket, answered by typed messages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import ServerMessage, WireModel
from .common import GenerationConfig, ImageConfig, Message, TTSConfig
from .socket import ErrorMessage, QueuedMessage, QueueDoneMessage, QueueUpdateMessage


class StreamGenerationConfig(GenerationConfig):
    """The generation settings of a socket, where answers are shorter by default."""

    max_new_tokens: int = Field(default=256, ge=1, le=4096)


class ChatStreamRequest(WireModel):
    """The first and only request of a `/ws/chat` socket; no `type` is needed."""

    messages: list[Message] = Field(min_length=1)
    streaming: bool = True
    generation: StreamGenerationConfig = Field(default_factory=StreamGenerationConfig)
    image: ImageConfig = Field(default_factory=ImageConfig)
    tts: TTSConfig = Field(default_factory=TTSConfig)
    use_tts_template: bool = False
    omni_mode: bool = False
    enable_thinking: bool = False
    record: bool = True


class PrefillDoneMessage(ServerMessage):
    """The prompt is in the cache; the first token comes next."""

    type: Literal["prefill_done"] = "prefill_done"
    input_tokens: int


class ChunkMessage(ServerMessage):
    """New text or new sound; a key that is absent brings nothing new."""

    type: Literal["chunk"] = "chunk"
    text_delta: str | None = None
    audio_data: str | None = None
    audio_sample_rate: int | None = None
    audio_epoch: int = 0


class DoneMessage(ServerMessage):
    """The whole answer; `stopped` says that the client ended it early, and `interrupted` that this
    cut its sound.

    `audio_data` is sent (null when there is no sound) only if the request was not streamed.
    """

    type: Literal["done"] = "done"
    text: str
    generated_tokens: int
    input_tokens: int
    stopped: bool = False
    interrupted: bool | None = None
    audio_data: str | None = None
    audio_epoch: int = 0
    recording_session_id: str | None = None
    warning: str | None = None


ChatServerMessage = Annotated[
    QueuedMessage
    | QueueUpdateMessage
    | QueueDoneMessage
    | PrefillDoneMessage
    | ChunkMessage
    | DoneMessage
    | ErrorMessage,
    Field(discriminator="type"),
]
