"""The original vocoder library, played by an object with the same habits."""

from __future__ import annotations

import sys
import wave
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from MiniCPMO45 import CheckpointError, MediaError
from MiniCPMO45 import stepaudio2_vocoder as adapter
from MiniCPMO45.stepaudio2_vocoder import LibraryVocoder
from MiniCPMO45.vocoder import load_renderer

SECOND = (np.sin(np.arange(16000) / 20) * 0.5).astype(np.float32)


class FakeLibrary:
    """Writes into the tensors of its attributes, and returns how often it did since the start."""

    def __init__(self) -> None:
        self.cache: Any = None
        self.stream_cache: dict[str, Tensor] = {}
        self.hift_cache_dict: dict[str, Tensor] = {}
        self.voices: list[tuple[int, int]] = []
        self.scratch = torch.zeros(1)

    def set_stream_cache(self, prompt_wav: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        assert self.cache is None
        with wave.open(prompt_wav) as reader:
            self.voices.append((reader.getframerate(), reader.getnframes()))
        self.cache = f"voice {len(self.voices)}"
        self.scratch.zero_()
        return {"flow": self.scratch}, {"speech": torch.zeros(1, 0)}

    def stream(
        self,
        generated_speech_tokens: list[int],
        prompt_wav: str | None,
        last_chunk: bool = False,
        return_waveform: bool = False,
    ) -> np.ndarray:
        assert prompt_wav is None and return_waveform
        self.stream_cache["flow"] += 1
        said = float(self.stream_cache["flow"][0])
        return np.full((1, len(generated_speech_tokens)), said, np.float32)


def test_streams_of_two_voices_do_not_disturb_each_other() -> None:
    library = FakeLibrary()
    vocoder = LibraryVocoder(library)
    first = vocoder.stream(vocoder.prepare_voice(SECOND, 16000))
    second = vocoder.stream(vocoder.prepare_voice(SECOND, 16000))
    said = [float(stream.push([1, 2], last=False)[0]) for stream in (first, second, first)]
    assert said == [1.0, 1.0, 2.0]
    second.push([1], last=True)
    assert library.cache == "voice 2"


def test_the_recording_reaches_the_library_as_a_file_at_its_own_rate() -> None:
    library = FakeLibrary()
    LibraryVocoder(library).prepare_voice(SECOND, 16000)
    assert library.voices == [(16000, 16000)]


def test_sound_comes_as_one_row_of_floats() -> None:
    vocoder = LibraryVocoder(FakeLibrary())
    waveform = vocoder.stream(vocoder.prepare_voice(SECOND, 16000)).push([1, 2, 3], last=True)
    assert (waveform.shape, waveform.dtype) == ((3,), torch.float32)


def test_a_silent_recording_is_refused_before_the_library_sees_it() -> None:
    library = FakeLibrary()
    with pytest.raises(MediaError, match="silent"):
        LibraryVocoder(library).prepare_voice(np.zeros(16000, np.float32), 16000)
    assert not library.voices


def test_without_a_gpu_the_remedy_is_named(tmp_path) -> None:
    with pytest.raises(CheckpointError, match=r'set audio\.vocoder_backend to "native"'):
        load_renderer(tmp_path, torch.device("cpu"), "stepaudio2")


def test_without_the_library_the_remedy_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "stepaudio2.token2wav", None)
    with pytest.raises(CheckpointError, match="requirements-stepaudio2"):
        load_renderer(tmp_path, torch.device("cuda"), "stepaudio2")


def test_the_library_is_built_for_the_folder_with_our_flow_steps(tmp_path, monkeypatch) -> None:
    built: list[tuple[str, bool, int]] = []

    def build(folder: str, float16: bool, n_timesteps: int) -> FakeLibrary:
        built.append((folder, float16, n_timesteps))
        return FakeLibrary()

    module = SimpleNamespace(Token2wav=build)
    monkeypatch.setattr(adapter.importlib, "import_module", lambda name: module)
    assert isinstance(load_renderer(tmp_path, torch.device("cuda"), "stepaudio2"), LibraryVocoder)
    assert built == [(str(tmp_path), False, 5)]
