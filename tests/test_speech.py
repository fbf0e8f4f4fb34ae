"""Spoken chat through ChatView: a real model, and a vocoder that gives tones of known length."""

from __future__ import annotations

import base64
import wave
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import InvalidFieldError
from core.processors import ChatView, Delta, Finished, RequestLimits
from core.processors.sound import float_base64, sound_of
from core.processors.voices import load_voice_file
from core.schemas import ChatRequest, ChatStreamRequest
from MiniCPMO45 import MediaError, MiniCPMO
from tests.wire_media import audio_data

SAMPLES_PER_CODE = 960
DEFAULT_VOICE = Path(__file__).parents[1] / "resources" / "ref_audio" / "ref_en.wav"
HELLO = [{"role": "user", "content": "Hello"}]


class ToneStream:
    """960 samples of 0.5 for each rendered code."""

    def push(self, codes: Sequence[int], *, last: bool) -> torch.Tensor:
        return torch.full((SAMPLES_PER_CODE * (len(codes) if last else len(codes) - 3),), 0.5)


class ToneVocoder:
    """Remembers whose voice was prepared."""

    def __init__(self) -> None:
        self.prepared: list[np.ndarray] = []

    def prepare_voice(self, samples: np.ndarray, sample_rate: int) -> object:
        assert sample_rate == 16000
        if not samples.any():
            raise MediaError("the recording is silent")
        self.prepared.append(samples)
        return object()

    def stream(self, voice: object) -> ToneStream:
        return ToneStream()


@pytest.fixture(scope="module")
def model(embedded_checkpoint: Path) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), max_length=1024)


@pytest.fixture
def vocoder(model: MiniCPMO, monkeypatch: pytest.MonkeyPatch) -> ToneVocoder:
    vocoder = ToneVocoder()
    monkeypatch.setattr(model, "vocoder", vocoder)
    return vocoder


@pytest.fixture
def view(model: MiniCPMO, vocoder: ToneVocoder) -> ChatView:
    limits = RequestLimits(ref_audio_max_s=30, audio_s=600)
    return ChatView(model, limits, str(DEFAULT_VOICE))


def over_http(**fields: Any) -> ChatRequest:
    tts = {"enabled": True} | fields.pop("tts", {})
    return ChatRequest.model_validate({"messages": HELLO, "tts": tts} | fields)


def over_socket(**fields: Any) -> ChatStreamRequest:
    tts = {"enabled": True} | fields.pop("tts", {})
    return ChatStreamRequest.model_validate({"messages": HELLO, "tts": tts} | fields)


def test_a_whole_answer_comes_as_a_wav_file(view: ChatView) -> None:
    response = view.chat(over_http())
    assert response.success and response.audio_data is not None
    with wave.open(BytesIO(base64.b64decode(response.audio_data))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (24000, 1, 2)
        assert sound.getnframes() % SAMPLES_PER_CODE == 0
        assert np.frombuffer(sound.readframes(10), "<i2").tolist() == [16383] * 10


def test_a_streamed_answer_speaks_while_it_is_written(view: ChatView) -> None:
    request = over_socket(generation={"max_new_tokens": 40})
    events = list(view.run(view.read(request), seed=0))
    kinds = [isinstance(event, Delta) and event.waveform is not None for event in events]
    assert any(kinds)
    assert isinstance(events[-1], Finished)
    text = "".join(event.text for event in events if isinstance(event, Delta))
    assert text == events[-1].text


def test_the_default_voice_is_prepared_once(view: ChatView, vocoder: ToneVocoder) -> None:
    for _ in range(2):
        view.chat(over_http())
    assert [samples.size for samples in vocoder.prepared] == [93710]


def test_a_voice_of_the_request_goes_before_the_default(
    view: ChatView, vocoder: ToneVocoder
) -> None:
    view.chat(over_http(tts={"ref_audio_data": audio_data(2.0)}))
    assert [samples.size for samples in vocoder.prepared] == [32000]


def test_a_long_voice_is_cropped_with_a_warning(view: ChatView, vocoder: ToneVocoder) -> None:
    response = view.chat(over_http(tts={"ref_audio_data": audio_data(31.0)}))
    assert [samples.size for samples in vocoder.prepared] == [30 * 16000]
    assert response.warning == "the reference voice was cropped to 30 seconds"


def test_a_silent_voice_names_its_field_and_the_next_request_works(view: ChatView) -> None:
    silence = float_base64(np.zeros(16000, dtype=np.float32))
    with pytest.raises(InvalidFieldError, match="silent") as caught:
        view.chat(over_http(tts={"ref_audio_data": silence}))
    assert caught.value.field == "tts.ref_audio_data"
    assert view.chat(over_http()).audio_data


def test_the_voice_prompt_is_added_only_where_there_is_no_system_message(view: ChatView) -> None:
    own = [{"role": "system", "content": "Be brief."}, *HELLO]
    assert len(view.read(over_http()).messages) == 2
    assert len(view.read(over_http(messages=own)).messages) == 2
    assert len(view.read(over_http(tts={"mode": "default"})).messages) == 1
    assert len(view.read(over_socket()).messages) == 1


def test_speech_can_be_left_between_two_steps(view: ChatView) -> None:
    steps = view.run(view.read(over_socket()), seed=0)
    next(steps)
    next(steps)
    steps.close()
    assert view.chat(over_http()).success


def test_sound_on_the_wire_is_little_endian_float() -> None:
    waveform = np.array([0.5, -0.25], dtype=np.float32)
    raw = base64.b64decode(float_base64(waveform))
    assert np.frombuffer(raw, "<f4").tolist() == [0.5, -0.25]
    assert sound_of([]) is None


@pytest.mark.parametrize("recording", [None, "ref_minicpm_signature.wav"])
def test_the_embedded_vocoder_speaks_in_any_voice(model: MiniCPMO, recording: str | None) -> None:
    view = ChatView(model, RequestLimits(ref_audio_max_s=30, audio_s=600), str(DEFAULT_VOICE))
    tts: dict[str, Any] = {"sampling": {"temperature": 0.0}}
    if recording is not None:
        samples = load_voice_file(DEFAULT_VOICE.parent / recording)
        tts["ref_audio_data"] = float_base64(samples)
    events = list(view.run(view.read(over_socket(tts=tts, generation={"do_sample": False}))))
    waveform = sound_of(events)
    assert waveform is not None and np.isfinite(waveform).all()
    assert 0.001 < np.abs(waveform).max() <= 1.0
