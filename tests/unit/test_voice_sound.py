"""Voices as they are sent: read from files that are sound, damaged or in need of decoding."""

from __future__ import annotations

import os
import struct
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest

from gateway_modules.ref_audio_registry import wav_file
from gateway_modules.sound_decoding import Pcm16, SoundError
from gateway_modules.voice_sound import load_voice, voice_duration_s, voice_etag
from tests.sound_files import sound_file

RAMP = np.arange(-32768, 32768, 4, dtype="<i2")


def test_kept_samples_are_sent_exactly(tmp_path: Path) -> None:
    path = tmp_path / "ramp.wav"
    path.write_bytes(wav_file(Pcm16(RAMP.tobytes())))
    voice = load_voice(path, 30)
    sent = np.frombuffer(b64decode(voice.base64), "<f4")
    np.testing.assert_array_equal(sent, RAMP.astype(np.float32) / 32768)
    assert (voice.name, voice.samples, voice.sample_rate) == ("ramp.wav", RAMP.size, 16000)


@pytest.mark.parametrize("container", ["wav", "mp3"])
def test_no_more_is_sent_than_is_used(tmp_path: Path, container: str) -> None:
    path = tmp_path / "long"
    path.write_bytes(sound_file(3.0, container))
    assert load_voice(path, 1.5).samples == 24_000
    assert voice_duration_s(path, 1.5) == 1.5


def test_a_replaced_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    path.write_bytes(sound_file(1.0))
    before, tag = load_voice(path, 30), voice_etag(path)
    path.write_bytes(sound_file(2.0))
    os.utime(path, (1, 1))
    assert load_voice(path, 30).samples == 2 * before.samples
    assert voice_etag(path) != tag


def test_a_truncated_file_gives_its_whole_samples(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    path.write_bytes(wav_file(Pcm16(RAMP.tobytes()))[:-3])
    assert load_voice(path, 30).samples == RAMP.size - 2


def test_a_damaged_header_is_no_length_and_no_sound(tmp_path: Path) -> None:
    path = tmp_path / "rate_0.wav"
    whole = wav_file(Pcm16(RAMP.tobytes()))
    path.write_bytes(whole[:24] + struct.pack("<I", 0) + whole[28:])
    assert voice_duration_s(path, 30) is None
    with pytest.raises(SoundError):
        load_voice(path, 30)
