"""Mel features, token counts and placeholders of whole clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MiniCPMO45.audio import audio_placeholder, audio_token_count, offline_features
from MiniCPMO45.errors import MediaError
from MiniCPMO45.mel import CLIP_SAMPLES, log_mel, log_power, mel_filters, normalise
from tests.golden.inputs import wave

SAMPLE_RATE = 16_000


def two_tones(n_samples: int) -> np.ndarray:
    time_s = np.arange(n_samples) / SAMPLE_RATE
    low = 0.5 * np.sin(2 * np.pi * 440 * time_s)
    return (low + 0.1 * np.sin(2 * np.pi * 1234 * time_s)).astype(np.float32)


def noise(n_samples: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


def test_offline_mel_has_the_documented_values() -> None:
    mel = log_mel(two_tones(16_000), floor="dynamic", pad_to_30s=True)
    assert mel.shape == (80, 100) and mel.dtype == torch.float32
    assert mel.mean().item() == pytest.approx(-0.34461, abs=2e-5)
    assert mel.min().item() == pytest.approx(-0.56180, abs=2e-5)
    assert mel.max().item() == pytest.approx(1.43820, abs=2e-5)
    values = {
        (0, 0): 0.99778,
        (10, 50): 1.34874,
        (12, 50): 1.29352,
        (12, 99): 1.29551,
        (12, 0): 1.33483,
        (79, 99): -0.56180,
    }
    assert [mel[place].item() for place in values] == pytest.approx(list(values.values()), abs=2e-5)


def test_filters_are_triangles_of_equal_area() -> None:
    filters = mel_filters()
    assert filters.shape == (201, 80)
    high_bands = filters[:, 45:].sum(dim=0) * 40.0  # bins are 40 Hz apart
    assert high_bands.numpy() == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("n_samples", "frames"), [(1, 1), (160, 1), (161, 2), (16_001, 101), (CLIP_SAMPLES, 3000)]
)
def test_offline_frames_round_up(n_samples: int, frames: int) -> None:
    assert log_mel(noise(n_samples), floor="dynamic", pad_to_30s=True).shape[1] == frames


@pytest.mark.parametrize(("n_samples", "frames"), [(400, 2), (479, 2), (480, 3)])
def test_reflected_frames_round_down(n_samples: int, frames: int) -> None:
    assert log_mel(noise(n_samples), floor="fixed", pad_to_30s=False).shape[1] == frames


@pytest.mark.parametrize("n_samples", [1, 777, 40_000, 479_100, 479_999])
def test_short_padding_equals_the_full_30_seconds(n_samples: int) -> None:
    samples = noise(n_samples)
    padded = torch.zeros(CLIP_SAMPLES)
    padded[:n_samples] = torch.from_numpy(samples)
    power = log_power(padded)[:, :-1]
    expected = normalise(power, power.max())[:, : -(-n_samples // 160)]
    mel = log_mel(samples, floor="dynamic", pad_to_30s=True)
    assert torch.allclose(mel, expected, atol=2e-5)


def test_dynamic_floor_is_8_below_the_loudest_value() -> None:
    mel = log_mel(two_tones(16_000), floor="dynamic", pad_to_30s=True)
    assert (mel.max() - mel.min()).item() == pytest.approx(8 / 4, abs=1e-5)


def test_fixed_floor_cuts_nothing() -> None:
    samples = two_tones(16_000)
    assert log_mel(samples, floor="fixed", pad_to_30s=True).min().item() < -1.0
    assert log_mel(np.zeros(800, np.float32), floor="fixed", pad_to_30s=False).max() == -1.5


def test_silence_is_the_lowest_value_in_either_mode() -> None:
    silence = np.zeros(16_000, np.float32)
    assert (log_mel(silence, floor="dynamic", pad_to_30s=True) == -1.5).all()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(0, np.float32), "empty"),
        (np.zeros((2, 100), np.float32), "one channel"),
        (np.zeros(100, np.int16), "floating-point"),
        (np.array([0.0, np.nan], np.float32), "NaN or infinite"),
        (np.array([np.inf, 0.0], np.float32), "NaN or infinite"),
    ],
)
def test_unusable_audio_is_refused(samples: np.ndarray, message: str) -> None:
    with pytest.raises(MediaError, match=message):
        offline_features([samples])


def test_a_window_without_enough_samples_to_reflect_is_refused() -> None:
    with pytest.raises(MediaError, match="more than 200 samples"):
        log_mel(noise(200), floor="fixed", pad_to_30s=False)


def test_a_padded_clip_over_30_seconds_is_refused() -> None:
    with pytest.raises(MediaError, match="at most 480000 samples"):
        log_mel(noise(CLIP_SAMPLES + 1), floor="dynamic", pad_to_30s=True)


def test_clips_over_30_seconds_are_cut_into_parts_with_floors_of_their_own() -> None:
    samples = np.concatenate([noise(CLIP_SAMPLES), noise(20_000) * 1e-3])
    features = offline_features([samples])
    assert features.lengths == [3000, 125]
    alone = log_mel(samples[CLIP_SAMPLES:], floor="dynamic", pad_to_30s=True)
    assert torch.equal(features.mel[1, :, :125], alone)


def test_clips_of_one_part_are_joined_before_the_mel_step() -> None:
    first, second, third = wave(4, 0.505), wave(5, 0.3), wave(6, 0.2)
    features = offline_features([first, second, third], [0, 0, 2])
    joined = offline_features([np.concatenate([first, second]), third])
    assert features.lengths == joined.lengths == [81, 20]
    assert torch.equal(features.mel, joined.mel)


def test_equal_labels_apart_are_not_joined() -> None:
    assert offline_features([noise(1600)] * 3, [0, 1, 0]).lengths == [10, 10, 10]


def test_a_batch_is_padded_with_zeros() -> None:
    features = offline_features([noise(1600), noise(3200)])
    assert features.mel.shape == (2, 80, 20)
    assert not features.mel[0, :, 10:].any()


def test_no_audio_gives_no_parts() -> None:
    features = offline_features([])
    assert features.mel.shape == (0, 80, 0) and features.lengths == []


@pytest.mark.parametrize(
    ("n_samples", "n_tokens"),
    [
        (0, 0),
        (1, 0),
        (1280, 0),
        (1281, 1),
        (16_000, 10),
        (16_560, 10),
        (20_000, 12),
        (480_000, 300),
        (496_000, 310),
    ],
)
def test_token_counts(n_samples: int, n_tokens: int) -> None:
    assert audio_token_count(n_samples) == n_tokens
    text = audio_placeholder(n_samples)
    assert text == f"<|audio_start|>{'<unk>' * n_tokens}<|audio_end|>"


def test_chunked_placeholder_tags_every_second() -> None:
    text = audio_placeholder(20_000, chunked=True)
    blocks = [f"<|audio_start|>{'<unk>' * n}<|audio_end|>" for n in (10, 2)]
    assert text == "".join(blocks)


def test_chunked_placeholder_of_no_tokens_is_empty() -> None:
    assert audio_placeholder(1280, chunked=True) == ""
