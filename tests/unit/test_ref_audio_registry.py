"""Uploaded voices: what is kept, what is refused, and what survives."""

from __future__ import annotations

import json
import wave
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from config import LimitsConfig
from core.errors import RequestError, ServiceError, TooLargeError
from gateway_modules.ref_audio_registry import RefAudioRegistry, UploadRefAudioRequest
from tests.sound_files import CODECS, silence, sound_file


@pytest.fixture
def registry(tmp_path: Path) -> RefAudioRegistry:
    return RefAudioRegistry(tmp_path / "ref_audio")


def text(data: bytes) -> str:
    return b64encode(data).decode()


def samples(registry: RefAudioRegistry, ref_id: str) -> np.ndarray:
    return np.frombuffer(b64decode(registry.get_base64(ref_id) or ""), "<f4")


@pytest.mark.parametrize("container", CODECS)
def test_every_common_format_becomes_a_16_khz_mono_wav_file(
    registry: RefAudioRegistry, container: str
) -> None:
    info = registry.upload("Calm voice", text(sound_file(2.0, container)))
    path = registry.get_file_path(info.id)
    assert path
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16000)
    assert info.duration_ms == pytest.approx(2000, abs=150)
    assert info.warning is None
    assert np.abs(samples(registry, info.id)).max() == pytest.approx(0.3, abs=0.05)


def test_a_voice_can_be_found_and_forgotten(registry: RefAudioRegistry) -> None:
    info = registry.upload("  Calm voice ", text(sound_file(1.0)))
    assert registry.get(info.id) == registry.list_all()[0]
    assert (info.name, info.source_type, registry.count()) == ("Calm voice", "upload", 1)
    path = registry.get_file_path(info.id)
    assert registry.delete(info.id)
    assert path and not path.exists()
    assert (registry.exists(info.id), registry.delete(info.id)) == (False, False)


def test_a_voice_outlives_the_process(registry: RefAudioRegistry) -> None:
    info = registry.upload("Kept", text(sound_file(1.0)))
    again = RefAudioRegistry(registry.storage_dir)
    assert [voice.id for voice in again.list_all()] == [info.id]
    (entry,) = json.loads((registry.storage_dir / "registry.json").read_text())
    assert set(entry) == {
        "id",
        "name",
        "filename",
        "source_type",
        "duration_ms",
        "sample_rate",
        "created_at",
    }


def test_a_long_recording_is_cropped_with_a_warning(registry: RefAudioRegistry) -> None:
    info = registry.upload("Long", text(sound_file(31.0)))
    assert (info.duration_ms, len(samples(registry, info.id))) == (30_000, 480_000)
    assert info.warning == "the reference voice was cropped to 30 seconds"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "readable", id="nothing"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), "readable", id="a picture"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "readable", id="a playlist"),
        pytest.param(b"RIFF\x24\0\0\0WAVEjunk", "readable", id="a broken header"),
        pytest.param(sound_file(2.0, "ogg")[:200], "readable", id="a cut-off file"),
        pytest.param(b"\xff\xfb" + bytes(5000), "readable", id="no frames"),
        pytest.param(sound_file(0.4), "shorter than 0.5", id="too short"),
        pytest.param(silence(2.0), "silent", id="silence"),
    ],
)
def test_what_is_no_voice_is_refused_and_leaves_nothing(
    registry: RefAudioRegistry, data: bytes, reason: str
) -> None:
    with pytest.raises(RequestError, match=reason) as refusal:
        registry.upload("Bad", text(data))
    assert (refusal.value.http_status, refusal.value.field) == (400, "audio_base64")
    assert not list(registry.storage_dir.glob("*"))


def test_what_is_not_base64_is_refused(registry: RefAudioRegistry) -> None:
    with pytest.raises(RequestError, match="base64"):
        registry.upload("Bad", "data:audio/wav;base64,UklGRg==")


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    registry = RefAudioRegistry(tmp_path, LimitsConfig(voice_upload_mb=0.05))
    with pytest.raises(TooLargeError) as refusal:
        registry.upload("Large", text(sound_file(1.0)))
    assert refusal.value.limit == 0.05


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "\x1b[31m", "\u202egnp.exe", "x" * 101])
def test_a_name_that_cannot_be_read_in_a_list_is_refused(
    registry: RefAudioRegistry, name: str
) -> None:
    with pytest.raises(ValueError, match="printable"):
        UploadRefAudioRequest(name=name, audio_base64="")
    with pytest.raises(ValueError, match="printable"):
        registry.upload(name, text(sound_file(1.0)))


def test_concurrent_uploads_and_deletions_lose_nothing(registry: RefAudioRegistry) -> None:
    data = text(sound_file(0.6))
    doomed = [registry.upload(f"old {i}", data).id for i in range(4)]
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda i: registry.upload(f"new {i}", data).id, range(12)))
        assert all(threads.map(registry.delete, doomed))
    assert {voice.id for voice in registry.list_all()} == set(added)
    files = {path.name for path in registry.storage_dir.iterdir()}
    assert files == {"registry.json", *(f"{ref_id}.wav" for ref_id in added)}


def test_the_voices_of_an_earlier_installation_are_taken_over_once(tmp_path: Path) -> None:
    old = RefAudioRegistry(tmp_path / "old")
    info = old.upload("Old", text(sound_file(1.0)))
    lost = old.upload("Lost", text(sound_file(1.0)))
    (old.storage_dir / lost.filename).unlink()

    new = RefAudioRegistry(tmp_path / "new", import_from=old.storage_dir)

    assert [voice.id for voice in new.list_all()] == [info.id]
    assert len(samples(new, info.id)) == 16000
    assert new.delete(info.id)
    assert RefAudioRegistry(tmp_path / "new", import_from=old.storage_dir).list_all() == []
    assert old.exists(info.id)


@pytest.mark.parametrize(
    "filename", ["../../etc/passwd", "/etc/passwd", "a/b.wav", "..wav", ".wav"]
)
def test_a_list_that_names_files_elsewhere_is_not_followed(
    registry: RefAudioRegistry, filename: str
) -> None:
    info = registry.upload("Mine", text(sound_file(1.0)))
    file = registry.storage_dir / "registry.json"
    file.write_text(file.read_text().replace(info.filename, filename))
    with pytest.raises(ServiceError, match=r"registry\.json"):
        registry.list_all()


def test_an_unreadable_list_is_never_overwritten(registry: RefAudioRegistry) -> None:
    registry.storage_dir.mkdir()
    file = registry.storage_dir / "registry.json"
    file.write_text("[{")
    with pytest.raises(ServiceError):
        registry.upload("New", text(sound_file(1.0)))
    assert file.read_text() == "[{"
    assert list(registry.storage_dir.iterdir()) == [file]
