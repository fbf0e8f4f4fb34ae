"""Full duplex, `WS /ws/duplex`: sound and pictures in, one decision out for each chunk of sound."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from .base import ServerMessage, WireModel
from .duplex import MAX_SLICES, DuplexConfig, DuplexGenerateResult
from .socket import ErrorMessage, QueuedMessage, QueueDoneMessage, QueueUpdateMessage

MAX_SYSTEM_PROMPT_CHARACTERS = 32_768


class DuplexPrepareMessage(WireModel):
    """The start of a call: who the model is, how it sounds, how it decides.

    `ref_audio_base64` is the voice the language model hears, or else `ref_audio_path`, a file among
    the service's reference voices, or else the service's default voice. The vocoder speaks like
    `tts_ref_audio_base64`, or like the same voice when that is left out.
    """

    type: Literal["prepare"] = "prepare"
    system_prompt: str = Field(
        default="You are a helpful assistant.",
        max_length=MAX_SYSTEM_PROMPT_CHARACTERS,
        validation_alias=AliasChoices("system_prompt", "prefix_system_prompt"),
    )
    ref_audio_base64: str | None = None
    ref_audio_path: str | None = None
    tts_ref_audio_base64: str | None = None
    config: DuplexConfig | None = None
    max_slice_nums: int | None = Field(default=None, ge=1, le=MAX_SLICES)
    deferred_finalize: bool = True
    record: bool = True


class DuplexAudioChunkMessage(WireModel):
    """Sound of any length up to 5 s, float32 PCM at 16 kHz, and what was seen meanwhile.

    With `force_listen` the model falls silent and listens.
    """

    type: Literal["audio_chunk"] = "audio_chunk"
    audio_base64: str | None = Field(
        default=None, validation_alias=AliasChoices("audio_base64", "audio")
    )
    frame_base64_list: list[str] | None = None
    force_listen: bool = False
    max_slice_nums: int | None = Field(default=None, ge=1, le=MAX_SLICES)


class DuplexVideoFrameMessage(WireModel):
    """A picture that goes with the next `audio_chunk`."""

    type: Literal["video_frame"] = "video_frame"
    frame: str


class DuplexPauseMessage(WireModel):
    """Hold the call for at most `timeout` seconds."""

    type: Literal["pause"] = "pause"
    timeout: float | None = Field(default=None, gt=0)


class DuplexWindowInfo(WireModel):
    """What a call forgets above `high` cached tokens; with `off` it ends when the cache is full."""

    mode: Literal["auto", "off", "basic", "context"]
    high: int
    low: int


class DuplexPreparedMessage(ServerMessage):
    """The call can begin. `prompt_length` counts characters."""

    type: Literal["prepared"] = "prepared"
    prompt_length: int
    window: DuplexWindowInfo
    recording_session_id: str | None = None
    warning: str | None = None


class DuplexResultMessage(DuplexGenerateResult, ServerMessage):
    """What became of one `audio_chunk`: exactly one for each that was accepted, in order.

    `wall_clock_ms` counts from the arrival of the chunk. With `skipped` the model decided nothing:
    more sound has to come first (`buffering`), or the chunk was dropped (`late`). `interrupted`
    says that speech was cut off: sound of lower epochs is void.
    """

    type: Literal["result"] = "result"
    wall_clock_ms: float
    kv_cache_length: int
    vision_slices: int = 0
    vision_tokens: int = 0
    audio_epoch: int = 0
    interrupted: Literal[True] | None = None
    skipped: Literal[True] | None = None
    reason: Literal["buffering", "late"] | None = None
    warning: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """All fields but the last four, which are there only when they say something."""
        message = self.model_dump(mode="json")
        for name in ("interrupted", "skipped", "reason", "warning"):
            if message[name] is None:
                del message[name]
        return message


class DuplexPausedMessage(ServerMessage):
    """The call is held; it ends after `timeout` seconds unless it is resumed."""

    type: Literal["paused"] = "paused"
    timeout: float


class DuplexResumedMessage(ServerMessage):
    """The call goes on."""

    type: Literal["resumed"] = "resumed"


class _Cut(ServerMessage):
    audio_epoch: int
    interrupted: Literal[True] | None = None


class DuplexInterruptedMessage(_Cut):
    """The model listens to the next unit; `interrupted` says that its speech was cut off."""

    type: Literal["interrupted"] = "interrupted"


class DuplexStoppedMessage(_Cut):
    """The end of the call the client asked for."""

    type: Literal["stopped"] = "stopped"
    session_id: str


class DuplexTimeoutMessage(ServerMessage):
    """The end of a call that stayed paused."""

    type: Literal["timeout"] = "timeout"
    reason: str


DuplexServerMessage = Annotated[
    QueuedMessage
    | QueueUpdateMessage
    | QueueDoneMessage
    | DuplexPreparedMessage
    | DuplexResultMessage
    | DuplexPausedMessage
    | DuplexResumedMessage
    | DuplexInterruptedMessage
    | DuplexStoppedMessage
    | DuplexTimeoutMessage
    | ErrorMessage,
    Field(discriminator="type"),
]
