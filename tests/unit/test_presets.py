"""Presets: whose win, what is left out, and when they are read again."""

from __future__ import annotations

import logging
import os
from base64 import b64decode
from pathlib import Path

import pytest

from gateway_modules.presets import LANGUAGES, MODES, ROOTS, Presets
from tests.sound_files import sound_file

GUIDE = """
id: museum_guide
order: 4
name: {en: Museum guide, zh: 讲解员}
description: Slow, friendly
system_content:
  - {type: text, text: {en: Speak like this., zh: 像这样说。}}
  - {type: audio, path: VOICE}
  - {type: text, text: You guide visitors.}
"""


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    return [tmp_path / "mine", tmp_path / "shipped"]


@pytest.fixture
def presets(roots: list[Path]) -> Presets:
    return Presets(30.0, roots)


def write(root: Path, text: str, mode: str = "turnbased", name: str = "a.yaml") -> Path:
    path = root / mode / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def ids(presets: Presets, mode: str = "turnbased") -> list[str]:
    return [preset.id for preset in presets.by_mode("en").get(mode, [])]


def test_the_shipped_presets_are_complete() -> None:
    presets = Presets(30.0)
    for language in LANGUAGES:
        modes = presets.by_mode(language, with_sound=True)
        assert set(modes) == set(MODES)
        for found in modes.values():
            assert len(found) >= 2
            for preset in found:
                items = preset.system_content or []
                voices = [item for item in items if item.type == "audio"]
                voice = preset.ref_audio or voices[0]
                assert voice.data and voice.duration and preset.description
                assert preset.system_prompt or items[0].type == "text"


def test_shipped_presets_are_given_in_both_languages_with_a_voice_of_their_own() -> None:
    english, chinese = (Presets(30.0).by_mode(language) for language in ("en", "zh"))
    for mode in MODES:
        for here, there in zip(english[mode], chinese[mode], strict=True):
            assert here.id == there.id
            assert here.name.isascii() and not there.name.isascii()
    assert english["omni"][0].ref_audio != chinese["omni"][0].ref_audio


def test_a_preset_is_told_in_one_language_with_the_length_of_its_voice(
    presets: Presets, roots: list[Path], tmp_path: Path
) -> None:
    voice = tmp_path / "guide.wav"
    voice.write_bytes(sound_file(2.0))
    write(roots[0], GUIDE.replace("VOICE", str(voice)))
    (preset,) = presets.by_mode("zh")["turnbased"]
    assert preset.model_dump(exclude_unset=True) == {
        "id": "museum_guide",
        "order": 4,
        "name": "讲解员",
        "description": "Slow, friendly",
        "system_content": [
            {"type": "text", "text": "像这样说。"},
            {
                "type": "audio",
                "data": None,
                "path": str(voice),
                "name": "guide.wav",
                "duration": 2.0,
            },
            {"type": "text", "text": "You guide visitors."},
        ],
    }


def test_the_samples_of_a_voice_come_on_request(
    presets: Presets, roots: list[Path], tmp_path: Path
) -> None:
    voice = tmp_path / "guide.mp3"
    voice.write_bytes(sound_file(2.0, "mp3"))
    write(roots[0], f"id: a\nname: A\nsystem_prompt: P\nref_audio_path: {voice}", "omni")
    preset = presets.with_voices("omni", "a", "en")
    assert preset and preset.ref_audio and preset.ref_audio.data
    assert len(b64decode(preset.ref_audio.data)) == pytest.approx(4 * 32000, rel=0.05)
    assert preset.ref_audio.duration == pytest.approx(2.0, abs=0.1)


def test_a_missing_voice_leaves_its_preset_usable(presets: Presets, roots: list[Path]) -> None:
    write(roots[0], GUIDE.replace("VOICE", "assets/ref_audio/nowhere.wav"))
    preset = presets.with_voices("turnbased", "museum_guide", "en")
    assert preset and preset.system_content
    voice = preset.system_content[1]
    assert voice.type == "audio"
    assert (voice.data, voice.duration, voice.name) == (None, None, "nowhere.wav")


@pytest.mark.parametrize("preset_id", ["b", "../turnbased/a", ""])
def test_an_unknown_preset_is_none(presets: Presets, roots: list[Path], preset_id: str) -> None:
    write(roots[0], "id: a\nname: A")
    assert presets.with_voices("turnbased", preset_id, "en") is None
    assert presets.with_voices("../turnbased", "a", "en") is None


def test_the_first_folder_wins_for_the_same_id(presets: Presets, roots: list[Path]) -> None:
    write(roots[1], "id: a\nname: shipped")
    write(roots[1], "id: b\nname: shipped", name="b.yml")
    write(roots[0], "id: a\nname: mine", name="other.yaml")
    names = {preset.id: preset.name for preset in presets.by_mode("en")["turnbased"]}
    assert names == {"a": "mine", "b": "shipped"}


def test_folders_of_the_user_come_before_the_shipped_one() -> None:
    assert [(root.parent.name, root.name) for root in ROOTS[::2]] == [
        ("assets", "presets"),
        ("resources", "presets"),
    ]


def test_presets_stand_in_their_order_and_those_without_one_last(
    presets: Presets, roots: list[Path]
) -> None:
    write(roots[0], "id: last\nname: N", name="1.yaml")
    write(roots[0], "id: second\nname: N\norder: 2", name="2.yaml")
    write(roots[0], "id: first\nname: N\norder: 1", name="3.yaml")
    assert ids(presets) == ["first", "second", "last"]


@pytest.mark.parametrize(
    "broken",
    [
        "id: [",
        "just text",
        "name: no id",
        "id: ../x\nname: N",
        "id: 7\nname: N",
        "id: a\nname: N\norder: 2026-99-99",
        "id: a\nname: &loop [*loop]",
        "id: a\nname: N\nsystem_content: [{type: video}]",
        "id: a\nname: \x00",
    ],
)
def test_a_broken_file_is_left_out_with_one_line_in_the_log(
    presets: Presets, roots: list[Path], caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    write(roots[0], broken, name="broken.yaml")
    write(roots[0], "id: good\nname: N", name="good.yaml")
    with caplog.at_level(logging.WARNING):
        assert (ids(presets), ids(presets)) == (["good"], ["good"])
    (line,) = caplog.messages
    assert "preset_skipped" in line and "broken.yaml" in line and "\n" not in line


def test_modes_without_presets_are_absent(presets: Presets, roots: list[Path]) -> None:
    assert presets.by_mode("en") == {}
    write(roots[0], "id: a\nname: A", mode="unknown_mode")
    assert presets.by_mode("en") == {}


def test_a_changed_file_is_read_again(presets: Presets, roots: list[Path]) -> None:
    path = write(roots[0], "id: a\nname: A")
    assert ids(presets) == ["a"]
    write(roots[0], "id: b\nname: B")
    os.utime(path, (1, 1))
    assert ids(presets) == ["b"]
    path.unlink()
    assert ids(presets) == []
