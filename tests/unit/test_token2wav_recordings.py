"""Our token2wav gives what the official library gave, at published sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from MiniCPMO45.token2wav import Token2WavOptions
from MiniCPMO45.token2wav.kaldi import filter_banks
from MiniCPMO45.token2wav.resampling import resample
from MiniCPMO45.token2wav.spectra import mel_frames, tokenizer_features
from MiniCPMO45.token2wav.synthesis import MelSynthesizer
from tests.golden.token2wav import inputs
from tests.unit.token2wav_support import (
    RECORDINGS,
    RecordedExcitation,
    RecordedFlowNoise,
    make_token2wav,
    make_voice,
)

# The library's trimming of the encoder, not the corrected one.
OPTIONS = Token2WavOptions(flow_steps=inputs.FLOW_STEPS, encoder_trim="packed")
MEL_TOLERANCE = 5e-5
# The library adds up phases in single precision over the whole clip, we do not.
WAVEFORM_TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(RECORDINGS / "library.npz") as arrays:
        return dict(arrays)


@pytest.fixture
def rendered_mels(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Mel frames of everything rendered during the test, piece by piece."""
    mels: list[Tensor] = []
    chunks, whole = MelSynthesizer.chunks, MelSynthesizer.whole

    def watched_chunks(*args) -> list[Tensor]:
        rendered = chunks(*args)
        mels.extend(rendered)
        return rendered

    def watched_whole(*args) -> Tensor:
        mels.append(whole(*args))
        return mels[-1]

    monkeypatch.setattr(MelSynthesizer, "chunks", watched_chunks)
    monkeypatch.setattr(MelSynthesizer, "whole", watched_whole)
    return mels


def assert_recorded(values: Tensor, expected: np.ndarray, tolerance: float) -> None:
    kept = inputs.sparse(values.contiguous().numpy())
    np.testing.assert_allclose(kept, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("name", "rate"), inputs.RECORDINGS.items())
def test_features_of_a_recording_equal_the_librarys(recorded, name, rate):
    samples = torch.from_numpy(inputs.recording(name, rate))
    speech, sound = resample(samples, rate, 16000), resample(samples, rate, 24000)
    features = {
        "speech": (speech, 1e-6),
        "sound": (sound, 1e-6),
        "tokenizer_features": (tokenizer_features(speech), 1e-4),
        "filter_banks": (filter_banks(speech), 2e-4),
        "mel": (mel_frames(sound, inputs.N_MELS), 1e-4),
    }
    for key, (values, tolerance) in features.items():
        assert values.shape == tuple(recorded[f"{name}.{key}.shape"]), key
        assert_recorded(values, recorded[f"{name}.{key}"], tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", inputs.TURNS)
def test_a_streamed_turn_equals_the_librarys_window_by_window(recorded, rendered_mels, name):
    n_tokens, sizes = inputs.TURNS[name]
    token2wav = make_token2wav("published", options=OPTIONS, flow_noise=RecordedFlowNoise())
    voice = make_voice(token2wav, n_tokens, name)
    stream = token2wav.stream(voice, noise=RecordedExcitation(name))
    for index, window in enumerate(inputs.windows(name, sizes)):
        waveform = stream.push(window, last=index == len(sizes) - 1)
        assert waveform.numel() == recorded[f"{name}.{index}.n_samples"]
        assert_recorded(rendered_mels[-1], recorded[f"{name}.{index}.mel"], MEL_TOLERANCE)
        expected = recorded[f"{name}.{index}.waveform"]
        assert_recorded(waveform, expected, WAVEFORM_TOLERANCE)


@pytest.mark.slow
def test_a_whole_utterance_equals_the_librarys(recorded, rendered_mels):
    token2wav = make_token2wav("published", options=OPTIONS, flow_noise=RecordedFlowNoise())
    (codes,) = inputs.windows("offline", (inputs.OFFLINE_CODES,))
    voice = make_voice(token2wav, 30, "offline")
    waveform = token2wav.offline(codes, voice, RecordedExcitation("offline"))
    assert_recorded(rendered_mels[-1], recorded["offline.mel"], MEL_TOLERANCE)
    assert_recorded(waveform, recorded["offline.waveform"], WAVEFORM_TOLERANCE)
