"""Wire models of the uploaded voices."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, computed_field, model_validator

from core.schemas import MODEL_SAMPLE_RATE
from gateway_modules.models import LocalTime

NAME_MAX_CHARACTERS = 100


def check_name(name: str) -> str:
    """The name without spaces around it; ValueError when people could not read it in a list."""
    name = name.strip()
    if not 0 < len(name) <= NAME_MAX_CHARACTERS or not name.isprintable():
        raise ValueError(f"must have 1 to {NAME_MAX_CHARACTERS} printable characters")
    return name


VoiceName = Annotated[str, AfterValidator(check_name)]


class RefAudioInfo(BaseModel):
    """One uploaded voice."""

    id: str
    name: str
    filename: str = Field(pattern=r"^[0-9A-Za-z_-]{1,64}\.wav$")
    source_type: str = Field("upload", description="`upload` or `external`.")
    duration_ms: int
    sample_rate: int = MODEL_SAMPLE_RATE
    created_at: LocalTime
    warning: str | None = Field(None, exclude=True)


class RefAudioListResponse(BaseModel):
    """All uploaded voices, oldest first; `audios` is another name of `ref_audios`."""

    total: int
    ref_audios: list[RefAudioInfo]

    @computed_field
    @property
    def audios(self) -> list[RefAudioInfo]:
        return self.ref_audios


class UploadRefAudioRequest(BaseModel):
    """A recording to keep under a name."""

    name: VoiceName
    audio_base64: str = Field(description="A sound file: WAV, MP3, FLAC, Ogg, WebM, M4A or AIFF.")


class ExternalRefAudioRequest(BaseModel):
    """The same, where the recording may also be a file in a folder of voices on the server."""

    name: VoiceName
    path: str | None = None
    audio_data: str | None = None

    @model_validator(mode="after")
    def one_source(self) -> ExternalRefAudioRequest:
        if (self.path is None) == (self.audio_data is None):
            raise ValueError("give either path or audio_data")
        return self


class RefAudioResponse(BaseModel):
    """What became of a request to keep or delete a voice."""

    success: bool = True
    id: str
    name: str | None = None
    message: str
    warning: str | None = None
