"""A preset as its file has it, and as pages get it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

LAST = 999


class TextItem(BaseModel):
    type: Literal["text"]
    text: str


class AudioPath(BaseModel):
    """A voice in a file: a path as in the configuration, such as `assets/ref_audio/ref_en.wav`."""

    type: Literal["audio"]
    path: str


class PresetFile(BaseModel):
    """The keys of a preset file, in one language."""

    id: str = Field(pattern=r"^[0-9A-Za-z_.-]{1,64}$")
    order: int = LAST
    name: str
    description: str = ""
    system_prompt: str | None = None
    ref_audio_path: str | None = None
    system_content: list[Annotated[TextItem | AudioPath, Field(discriminator="type")]] | None = None


class PresetVoice(BaseModel):
    """A voice of a preset; `data` is null in lists, and where there is no file."""

    data: str | None = Field(description="Little-endian float32, mono, 16 kHz, in base64.")
    path: str
    name: str
    duration: float | None = Field(description="Seconds; null when there is no readable file.")


class AudioItem(PresetVoice):
    type: Literal["audio"]


class Preset(BaseModel):
    """A preset in one language; a prompt and a voice, or the content of a system message."""

    id: str
    order: int
    name: str
    description: str
    system_prompt: str | None = None
    ref_audio: PresetVoice | None = None
    system_content: list[TextItem | AudioItem] | None = None


class VoiceData(BaseModel):
    """The samples of one voice of a preset."""

    data: str | None
    name: str
    duration: float | None


class PresetAudioResponse(BaseModel):
    """The voices of one preset, those of `system_content` in their order."""

    system_content_audio: list[VoiceData] = []
    ref_audio: VoiceData | None = None
