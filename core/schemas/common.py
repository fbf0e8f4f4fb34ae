"""Messages, their content items, and the settings shared by every mode."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from .base import WireModel

MODEL_SAMPLE_RATE = 16000
SPEECH_SAMPLE_RATE = 24000


class Role(str, Enum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class TTSMode(str, Enum):
    """How the voice of an answer is chosen; `default` ignores any reference voice."""

    DEFAULT = "default"
    AUDIO_ASSISTANT = "audio_assistant"
    OMNI = "omni"
    AUDIO_ROLEPLAY = "audio_roleplay"
    VOICE_CLONING = "voice_cloning"


class ContentType(str, Enum):
    """The kinds of content a message may hold."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class TextContent(WireModel):
    """A piece of text; it may be empty."""

    type: Literal["text"] = "text"
    text: str


class ImageContent(WireModel):
    """An image file in base64: JPEG, PNG, GIF, WebP or BMP, without a `data:` prefix."""

    type: Literal["image"] = "image"
    data: str


class AudioContent(WireModel):
    """A waveform in base64: little-endian float32 PCM, mono, 16 kHz."""

    type: Literal["audio"] = "audio"
    data: str
    sample_rate: int = MODEL_SAMPLE_RATE

    @field_validator("sample_rate")
    @classmethod
    def _only_16_khz(cls, sample_rate: int) -> int:
        if sample_rate != MODEL_SAMPLE_RATE:
            raise ValueError(
                f"采样率必须为 {MODEL_SAMPLE_RATE} Hz (the sample rate must be "
                f"{MODEL_SAMPLE_RATE} Hz), got {sample_rate}"
            )
        return sample_rate


class VideoContent(WireModel):
    """A video file in base64; `stack_frames` above 1 adds tiles of in-between frames."""

    type: Literal["video"] = "video"
    data: str
    stack_frames: int = Field(default=1, ge=1)


ContentItem = Annotated[
    TextContent | ImageContent | AudioContent | VideoContent, Field(discriminator="type")
]


def _content_form(content: Any) -> str:
    return "list" if isinstance(content, list) else "string"


class Message(WireModel):
    """One message of a conversation: a plain string or a list of content items."""

    role: Role
    content: Annotated[
        Annotated[str, Tag("string")] | Annotated[list[ContentItem], Tag("list")],
        Discriminator(_content_form),
    ]


class TTSSamplingParams(WireModel):
    """How speech codes are drawn."""

    top_p: float = Field(default=0.85, ge=0.0, le=1.0)
    min_p: float = Field(default=0.01, ge=0.0, le=1.0)
    top_k: int = Field(default=25, ge=0)
    repetition_penalty: float = Field(default=1.05, ge=1.0)
    temperature: float = Field(default=0.8, ge=0.0, le=2.0)
    win_size: int = Field(default=16, ge=1)
    tau_r: float = Field(default=0.1, ge=0.0)


class TTSConfig(WireModel):
    """Speech output; without a reference the service's default voice is used.

    `ref_audio_path` and `output_path` name files on the server: they are meant for callers in the
    same process and never honoured in a request that came over the network.
    """

    enabled: bool = False
    mode: TTSMode = TTSMode.AUDIO_ASSISTANT
    ref_audio_path: str | None = None
    ref_audio_data: str | None = None
    ref_audio_max_ms: int | None = Field(default=None, ge=1000)
    output_path: str | None = None
    language: str = "en"
    sampling: TTSSamplingParams = Field(default_factory=TTSSamplingParams)


class ImageConfig(WireModel):
    """How images are cut: the most slices of one image, and whether slices are numbered."""

    max_slice_nums: int | None = Field(default=None, ge=1, le=16)
    use_image_id: bool = False


class GenerationConfig(WireModel):
    """How the text of an answer is drawn, and how long prompt and answer may be."""

    max_new_tokens: int = Field(default=512, ge=1, le=4096)
    min_new_tokens: int = Field(default=0, ge=0)
    do_sample: bool = True
    temperature: float = Field(default=0.7, ge=0.0, le=2.0)
    top_p: float = Field(default=0.8, ge=0.0, le=1.0)
    top_k: int = Field(default=100, ge=0)
    length_penalty: float = Field(default=1.1, ge=0.1, le=5.0)
    max_inp_length: int = Field(default=8192, ge=1)
