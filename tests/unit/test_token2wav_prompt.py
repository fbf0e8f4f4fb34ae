"""Listening to a reference voice: refusals, alignment, the two graphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from MiniCPMO45.errors import CheckpointError, MediaError
from MiniCPMO45.tiny.onnx_file import FLOAT, INT64, Node, Value, model_bytes
from MiniCPMO45.tiny.token2wav import write_token2wav
from MiniCPMO45.tiny.voice_graphs import speaker_encoder
from MiniCPMO45.token2wav import Token2Wav, content_key
from MiniCPMO45.token2wav.prompt import fit_frames
from MiniCPMO45.token2wav.resampling import resample
from tests.golden.token2wav import inputs


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "token2wav"
    write_token2wav(folder)
    return folder


@pytest.fixture(scope="module")
def token2wav(folder: Path) -> Token2Wav:
    return Token2Wav.load(folder)


def hum(seconds: float, rate: int = 16000) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 150 * times) + 0.05 * np.sin(777 * times)).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros(16000, np.float32), 16000, "silent"),
        (hum(2.0) * 1e-3, 16000, "silent"),
        (hum(0.49), 16000, "0.49 s long, it needs at least 0.5 s"),
        (hum(30.1), 16000, "30.1 s long, at most 30 s"),
        (np.zeros(0, np.float32), 16000, "empty"),
        (np.full(16000, np.nan, np.float32), 16000, "NaN"),
        (np.zeros(16000, np.int16), 16000, "floating-point"),
        (np.zeros((1, 2, 16000), np.float32), 16000, r"\[n\] or \[channels, n\]"),
        (np.zeros((0, 16000), np.float32), 16000, r"\[n\] or \[channels, n\]"),
        (hum(1.0), 0, "sample rate must be positive"),
        (hum(1.0), 15991, "cannot be resampled"),
    ],
)
def test_an_unusable_recording_is_refused_with_its_reason(token2wav, samples, rate, message):
    with pytest.raises(MediaError, match=message):
        token2wav.prepare_voice(samples, rate)


@pytest.mark.parametrize(
    ("seconds", "rate"), [(0.5, 16000), (1.337, 44100), (2.0, 24000), (1.0, 8000), (30.0, 16000)]
)
def test_a_voice_has_a_token_every_40_ms_and_two_frames_a_token(token2wav, seconds, rate):
    samples = hum(seconds, rate)
    voice = token2wav.prepare_voice(samples, rate)
    n_speech = -(-16000 * samples.size // rate)
    n_tokens = -(-(n_speech // 160) // 4)
    assert voice.prompt.tokens.shape == (1, n_tokens)
    assert voice.prompt.tokens.dtype == torch.int64
    assert voice.prompt.mel.shape == (1, 2 * n_tokens, 80)
    assert voice.prompt.speaker.shape == (1, 192)
    assert voice.base.estimator.length == 2 * n_tokens
    assert voice.base.encoder.tokens.length == n_tokens


def test_of_two_channels_the_first_is_understood_and_the_mean_is_imitated(token2wav):
    first, second = hum(1.0), np.roll(hum(1.0), 40) * 0.5
    stereo = token2wav.prepare_voice(np.stack([first, second]), 16000).prompt
    alone = token2wav.prepare_voice(first, 16000).prompt
    mixed = token2wav.prepare_voice((first + second) / 2, 16000).prompt
    assert torch.equal(stereo.tokens, alone.tokens)
    assert torch.equal(stereo.speaker, alone.speaker)
    torch.testing.assert_close(stereo.mel, mixed.mel)
    assert not torch.allclose(stereo.mel, alone.mel, atol=1e-2)


def test_a_recording_is_known_by_its_content(token2wav):
    samples = hum(1.0)
    key = token2wav.prepare_voice(samples, 16000).key
    assert key == content_key(samples.copy(), 16000) == content_key(torch.tensor(samples), 16000)
    keys = {key, content_key(samples, 24000), content_key(samples[1:], 16000)}
    assert len(keys | {content_key(samples[None], 16000)}) == 4


def test_different_recordings_have_different_tokens_and_speakers(token2wav):
    one = token2wav.prepare_voice(hum(1.0), 16000).prompt
    other = token2wav.prepare_voice(inputs.recording("rate_16k", 16000), 16000).prompt
    assert not torch.equal(one.tokens, other.tokens[:, : one.tokens.shape[1]])
    assert not torch.allclose(one.speaker, other.speaker, atol=1e-2)


def test_mel_frames_are_cut_or_continued_by_the_last_one():
    mel = torch.arange(6.0).reshape(3, 2)
    assert torch.equal(fit_frames(mel, 2), mel[:2])
    assert torch.equal(fit_frames(mel, 5), torch.cat([mel, mel[-1:], mel[-1:]]))


@pytest.mark.parametrize(("rate_in", "rate_out"), [(16000, 24000), (44100, 16000), (8000, 24000)])
def test_resampling_keeps_a_tone_below_both_limits(rate_in, rate_out):
    times_in, times_out = torch.arange(rate_in) / rate_in, torch.arange(rate_out) / rate_out
    tone = torch.sin(2 * torch.pi * 440 * times_in.double()).float()
    resampled = resample(tone, rate_in, rate_out)
    assert resampled.shape == (rate_out,)
    expected = torch.sin(2 * torch.pi * 440 * times_out.double()).float()
    torch.testing.assert_close(resampled[100:-100], expected[100:-100], atol=5e-3, rtol=0)


def test_resampling_rounds_the_length_up():
    assert resample(torch.zeros(2, 101), 3, 2).shape == (2, 68)
    assert resample(torch.zeros(101), 16000, 16000).shape == (101,)


def test_the_graphs_have_the_published_inputs(token2wav):
    encoder = token2wav._prompt_encoder
    assert encoder is not None
    tokenizer_inputs = encoder._tokenizer.get_inputs()
    assert [(each.type, len(each.shape)) for each in tokenizer_inputs] == [
        ("tensor(float)", 3),
        ("tensor(int32)", 1),
    ]
    assert [each.shape[2] for each in encoder._speaker_encoder.get_inputs()] == [80]


def token_graph(code: int) -> bytes:
    """A speech tokenizer that says ``code`` four times, as int64 ``[4]``."""
    features = Value("feats", FLOAT, [1, 128, "T"])
    length = Value("feats_length", 6, [1])
    return model_bytes(
        "constant",
        [features, length],
        [Node("Identity", ["codes"], "indices")],
        [Value("indices", INT64, [4])],
        {"codes": np.full(4, code, np.int64)},
    )


def test_outputs_of_another_rank_are_understood(tmp_path):
    write_token2wav(tmp_path / "token2wav")
    graph = tmp_path / "token2wav" / "speech_tokenizer_v2_25hz.onnx"
    graph.write_bytes(token_graph(6))
    voice = Token2Wav.load(tmp_path / "token2wav").prepare_voice(hum(1.0), 16000)
    assert voice.prompt.tokens.tolist() == [[6, 6, 6, 6]]


def test_graphs_that_do_not_fit_the_flow_are_refused(tmp_path):
    write_token2wav(tmp_path / "token2wav")
    graph = tmp_path / "token2wav" / "speech_tokenizer_v2_25hz.onnx"
    graph.write_bytes(token_graph(6561))
    with pytest.raises(CheckpointError, match=r"id outside 0\.\.6560"):
        Token2Wav.load(tmp_path / "token2wav").prepare_voice(hum(1.0), 16000)
    write_token2wav(tmp_path / "other")
    (tmp_path / "other" / "campplus.onnx").write_bytes(speaker_encoder(100))
    with pytest.raises(CheckpointError, match=r"gave shape \[1, 100\], expected \[1, 192\]"):
        Token2Wav.load(tmp_path / "other").prepare_voice(hum(1.0), 16000)
    (tmp_path / "other" / "campplus.onnx").write_bytes(graph.read_bytes())
    with pytest.raises(CheckpointError, match="1 were expected"):
        Token2Wav.load(tmp_path / "other").prepare_voice(hum(1.0), 16000)
