"""Which files a request may name as its voice."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import RESOURCES_PATH, ServiceConfig
from core.errors import InvalidFieldError
from core.voice_folders import VoiceFolders

SHIPPED = RESOURCES_PATH / "ref_audio" / "ref_en.wav"


@pytest.fixture
def folders(tmp_path: Path) -> VoiceFolders:
    settings = {"model": {"model_path": "m"}, "service": {"data_dir": str(tmp_path / "data")}}
    return VoiceFolders.of(ServiceConfig.model_validate(settings))


@pytest.mark.parametrize("name", ["assets/ref_audio/ref_en.wav", str(SHIPPED)])
def test_a_shipped_voice_is_found(folders: VoiceFolders, name: str) -> None:
    assert folders.find(name) == SHIPPED.resolve()


def test_an_uploaded_voice_is_found(folders: VoiceFolders, tmp_path: Path) -> None:
    name = str(tmp_path / "data" / "ref_audio" / "mine.wav")
    assert folders.find(name) == Path(name)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "config.json",
        "assets/ref_audio/../../config.py",
        "resources/ref_audio_of_others/voice.wav",
        "voice\0.wav",
    ],
)
def test_any_other_file_is_refused_by_the_name_of_the_field(
    folders: VoiceFolders, name: str
) -> None:
    with pytest.raises(InvalidFieldError, match=r"tts\.ref_audio_path"):
        folders.find(name)


def test_a_link_out_of_a_folder_is_refused(folders: VoiceFolders, tmp_path: Path) -> None:
    voices = tmp_path / "data" / "ref_audio"
    voices.mkdir(parents=True)
    (tmp_path / "secret.wav").touch()
    (voices / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(InvalidFieldError):
        folders.find(str(voices / "link.wav"))
