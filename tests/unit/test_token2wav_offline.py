"""Whole utterances, and what ties them to streams."""

from __future__ import annotations

import pytest
import torch

from MiniCPMO45.token2wav import Token2Wav, Token2WavOptions
from MiniCPMO45.token2wav.flow import cosine_times
from MiniCPMO45.token2wav.noise import SeededFlowNoise
from tests.unit.token2wav_support import make_prompt, make_token2wav, make_voice, make_windows


@pytest.fixture(scope="module", params=["tiny", pytest.param("published", marks=pytest.mark.slow)])
def token2wav(request: pytest.FixtureRequest) -> Token2Wav:
    return make_token2wav(request.param)


@pytest.fixture(scope="module")
def tiny() -> Token2Wav:
    return make_token2wav("tiny")


@torch.inference_mode()
def test_one_chunk_on_empty_caches_equals_the_whole_utterance(token2wav):
    prompt = make_prompt(12)
    (codes,) = make_windows(9)
    whole = token2wav.synthesizer.whole(codes, make_voice(token2wav, 12))

    flow, schedule = token2wav.synthesizer.flow, token2wav.synthesizer.schedule
    tokens = torch.cat([prompt.tokens, torch.tensor([codes])], dim=1)
    n_tokens = tokens.shape[1]
    state = flow.new_state(len(schedule.modulation), 2 * n_tokens)
    positions = flow.encoder.positions(n_tokens, n_tokens)
    mu = flow.encode(tokens, positions, state.encoder, last=True)
    noise = SeededFlowNoise(0, 80).frames(0, 2 * n_tokens).transpose(1, 2)
    speaker = flow.project_speaker(prompt.speaker)
    mel = flow.solve(noise, mu, speaker, prompt.mel, schedule, state.estimator)
    torch.testing.assert_close(mel[:, 24:].transpose(1, 2), whole, atol=1e-5, rtol=1e-5)


def test_a_whole_utterance_has_960_samples_a_code_and_no_leading_silence(tiny):
    waveform = tiny.offline(make_windows(28)[0] * 3, make_voice(tiny))
    assert waveform.shape == (28 * 3 * 960,)
    assert waveform[:480].abs().max() > 1e-4
    assert waveform.abs().max() <= 0.99


def test_negative_ids_count_as_zero_in_whole_utterances(tiny):
    voice = make_voice(tiny)
    assert torch.equal(tiny.offline([5, -3, 8], voice), tiny.offline([5, 0, 8], voice))


@pytest.mark.parametrize(("codes", "message"), [([], "no codes"), ([3, 6561], "6561 is not in")])
def test_unusable_codes_are_refused(tiny, codes, message):
    with pytest.raises(ValueError, match=message):
        tiny.offline(codes, make_voice(tiny))


def test_the_voice_decides_the_sound(tiny):
    (codes,) = make_windows(9)
    one, other = (tiny.offline(codes, make_voice(tiny, 15, name)) for name in ("one", "other"))
    assert not torch.allclose(one, other, atol=1e-4)


def test_the_seed_of_the_options_decides_the_texture():
    (codes,) = make_windows(9)
    sounds = []
    for seed in (0, 0, 4):
        model = make_token2wav("tiny", options=Token2WavOptions(flow_steps=2, seed=seed))
        sounds.append(model.synthesizer.whole(codes, make_voice(model)))
    assert torch.equal(sounds[0], sounds[1])
    assert not torch.allclose(sounds[0], sounds[2], atol=1e-2)


def test_solver_times_are_the_published_cosine_schedule():
    expected = [0, 0.0123, 0.0489, 0.1090, 0.1910, 0.2929, 0.4122, 0.5460, 0.6910, 0.8436, 1]
    torch.testing.assert_close(cosine_times(10), torch.tensor(expected), atol=5e-5, rtol=0)


def test_flow_noise_is_the_same_however_it_is_cut():
    noise = SeededFlowNoise(3, 80)
    whole = noise.frames(0, 3000)
    assert whole.shape == (1, 80, 3000)
    for first, count in ((0, 10), (1000, 100), (1024, 1024), (2047, 2)):
        assert torch.equal(noise.frames(first, count), whole[:, :, first : first + count])
    assert noise.frames(31_000, 4).shape == (1, 80, 4)
    assert abs(float(whole.mean())) < 0.01
    assert abs(float(whole.std()) - 1) < 0.01
