"""The pieces of the networks against direct formulas and PyTorch's own operations."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from MiniCPMO45.token2wav.causal import causal_conv, convolve, lay_out
from MiniCPMO45.token2wav.configuration import HiFTConfig
from MiniCPMO45.token2wav.dit import time_features
from MiniCPMO45.token2wav.fourier import ShortFourier
from MiniCPMO45.token2wav.overlap import crossfade
from MiniCPMO45.token2wav.positions import PositionRows, select_distances, sinusoids
from MiniCPMO45.token2wav.source import HarmonicSource
from tests.unit.token2wav_support import CPU, networks


@pytest.fixture(autouse=True)
def same_draws_and_no_gradients():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def test_distance_rows_are_interleaved_sines_and_cosines():
    table = sinusoids(5, -3, 8, CPU)
    assert table.shape == (9, 8)
    for row, distance in enumerate(range(5, -4, -1)):
        for pair in range(4):
            angle = distance * 10000.0 ** (-2 * pair / 8)
            assert table[row, 2 * pair] == pytest.approx(math.sin(angle), abs=1e-6)
            assert table[row, 2 * pair + 1] == pytest.approx(math.cos(angle), abs=1e-6)


@pytest.mark.parametrize(("n_queries", "n_keys"), [(4, 4), (3, 11), (1, 6)])
def test_shifted_scores_equal_those_gathered_by_distance(n_queries, n_keys):
    query = torch.randn(2, 3, n_queries, 5)
    by_distance = torch.randn(3, 5, 40)  # columns for distances 25, 24 …
    rows = PositionRows([by_distance], furthest=25)
    scores = select_distances(query @ rows.window(0, n_queries, n_keys), n_keys)
    for i in range(n_queries):
        for j in range(n_keys):
            distance = (n_keys - n_queries + i) - j
            expected = (query[:, :, i, None] @ by_distance[:, :, 25 - distance, None])[..., 0, 0]
            torch.testing.assert_close(scores[:, :, i, j], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", ["tiny", pytest.param("published", marks=pytest.mark.slow)])
def test_position_windows_do_not_depend_on_how_far_the_rows_reach(size):
    encoder = networks(size)[0].encoder
    near, far = encoder.positions(4, 9), encoder.positions(28, 60)
    window = near.tokens.window(1, 4, 9)
    torch.testing.assert_close(window, far.tokens.window(1, 4, 9), atol=1e-6, rtol=0)
    assert near.frames.window(0, 8, 18).shape[2] == 25


@pytest.mark.parametrize("pieces", [(20,), (1, 1, 5, 13), (7, 1, 12)])
def test_a_causal_convolution_in_pieces_equals_the_whole(pieces):
    conv, x = nn.Conv1d(4, 6, kernel_size=3), torch.randn(2, 20, 4)
    context = torch.zeros(2, 2, 4)
    parts = [causal_conv(conv, piece, context) for piece in x.split(list(pieces), dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), causal_conv(conv, x, None))


def test_a_convolution_of_rows_equals_that_of_columns_however_its_weight_is_stored():
    conv, x = nn.Conv1d(4, 6, kernel_size=3), torch.randn(2, 20, 4)
    expected, weight = conv(x.transpose(1, 2)).transpose(1, 2), conv.weight.clone()
    torch.testing.assert_close(convolve(conv, x), expected)
    lay_out(conv)
    assert torch.equal(conv.weight, weight)
    assert conv.weight.permute(0, 2, 1).is_contiguous()
    torch.testing.assert_close(convolve(conv, x), expected)


@pytest.mark.parametrize("size", ["tiny", pytest.param("published", marks=pytest.mark.slow)])
def test_encoder_convolutions_in_chunks_equal_the_whole(size):
    encoder = networks(size)[0].encoder
    width, lookahead = encoder.config.output_size, encoder.config.pre_lookahead_len
    x = torch.randn(1, 30 + lookahead, width)
    layer, context = encoder.pre_lookahead_layer, torch.zeros(1, 2, width)
    parts = []
    for first, end in ((0, 5), (5, 6), (6, 30)):
        parts.append(layer(x[:, first : end + lookahead], context))
    mixed = layer(x, None)
    torch.testing.assert_close(torch.cat(parts, dim=1), mixed, atol=1e-5, rtol=1e-5)

    context = torch.zeros(1, 4, width)
    parts = [encoder.up_layer(piece, context) for piece in mixed.split([1, 9, 20], dim=1)]
    whole = encoder.up_layer(mixed, None)
    assert whole.shape == (1, 60, width)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=1e-5)


def test_time_features_begin_with_the_cosines_of_a_thousandfold_time():
    features = time_features(torch.tensor([0.0, 0.25]))
    assert features.shape == (2, 256)
    assert features[0, :128].eq(1).all() and features[0, 128:].eq(0).all()
    assert features[1, 0] == pytest.approx(math.cos(250.0), abs=1e-4)
    slow = 250.0 * 10000.0 ** (-100 / 128)
    assert features[1, 228] == pytest.approx(math.sin(slow), abs=1e-4)


def test_the_unconditional_row_keeps_a_cache_of_its_own():
    flow, _ = networks("tiny")
    schedule = flow.schedule(1, torch.float32)
    state = flow.new_state(1, 20)
    mel = torch.randn(1, 20, 80)
    flow.solve(mel, mel, mel[:, 0], mel[:, :0], schedule, state.estimator)
    keys = state.estimator.block(0, 0).attention.keys
    assert not torch.allclose(keys[0], keys[1], atol=1e-3)


def test_short_fourier_transforms_equal_those_of_pytorch():
    waveform = torch.randn(1, 960)
    window = torch.hann_window(16)
    expected = torch.stft(waveform, 16, 4, window=window, pad_mode="reflect", return_complex=True)
    fourier = ShortFourier(16, 4, CPU)
    spectrum = fourier.transform(waveform[:, None])
    assert spectrum.shape == (1, 18, 241)
    torch.testing.assert_close(
        spectrum, torch.cat([expected.real, expected.imag], dim=1), atol=1e-5, rtol=0
    )
    spoilt = spectrum + torch.randn_like(spectrum)
    real, imaginary = spoilt.chunk(2, dim=1)
    inverse = torch.istft(torch.complex(real, imaginary), 16, 4, window=window)
    torch.testing.assert_close(fourier.invert(spoilt), inverse, atol=1e-5, rtol=0)


def test_every_sine_follows_the_pitch_from_frame_centre_to_frame_centre():
    config = HiFTConfig()
    source = HarmonicSource(config)
    f0 = torch.tensor([[100.0, 130.0, 5.0, 210.0]])
    noise = torch.randn(1, 4 * 480, 9)
    made = source(f0, noise)[0, 0]
    assert made.shape == (1920,)
    weight, bias = source.l_linear.weight[0].double(), source.l_linear.bias[0].double()
    for n in (0, 239, 240, 700, 719, 720, 1300, 1679, 1680, 1919):
        place = min(max((n + 0.5) / 480 - 0.5, 0.0), 3.0)
        pitch = float(f0[0, n // 480])
        total = float(bias)
        for k in range(9):
            steps = [(k + 1) * float(hz) / 24000 for hz in f0[0]]
            phases = [2 * math.pi * 480 * sum(steps[: j + 1]) for j in range(4)]
            left = min(int(place), 2)
            phase = phases[left] + (place - left) * (phases[left + 1] - phases[left])
            voiced = pitch > 10
            spread = 0.003 if voiced else 0.1 / 3
            wave = 0.1 * math.sin(phase) * voiced + spread * float(noise[0, n, k])
            total += float(weight[k]) * wave
        assert float(made[n]) == pytest.approx(math.tanh(total), abs=2e-5)


def test_phases_stay_exact_in_long_clips():
    source = HarmonicSource(HiFTConfig())
    f0 = torch.full((1, 5000), 211.7)  # 100 s
    quiet = torch.zeros(1, 5000 * 480, 9)
    made = source(f0, quiet)[0, 0, -1000:-240].double()
    places = torch.arange(5000 * 480 - 1000, 5000 * 480 - 240, dtype=torch.float64)
    per_sample = f0[0, 0] * torch.arange(1, 10, dtype=torch.float32) / 24000
    # 480 samples lie between the first centre and the start of counting.
    phases = 2 * math.pi * per_sample.double() * (places[:, None] + 0.5 + 240)
    expected = torch.tanh(
        functional.linear(
            0.1 * phases.sin(), source.l_linear.weight.double(), source.l_linear.bias.double()
        )
    )[:, 0]
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)


def test_the_two_halves_of_the_crossfade_add_up_to_1_08():
    ones = torch.ones(1, 3840)
    torch.testing.assert_close(crossfade(ones, ones), 1.08 * ones, atol=2e-3, rtol=0)
    faded = crossfade(ones, 0 * ones)[0]
    assert faded[0] == pytest.approx(1.0, abs=1e-3)
    assert faded[-1] == pytest.approx(0.08, abs=1e-3)
