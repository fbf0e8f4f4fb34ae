"""Streams of speech: lengths, independence, bounded memory."""

from __future__ import annotations

import time

import pytest
import torch
from torch import Tensor

from MiniCPMO45.tiny.token2wav import FLOW, flow_state
from MiniCPMO45.token2wav import Token2Wav, Token2WavOptions, VocoderStream
from MiniCPMO45.token2wav.frame_cache import FrameCache
from MiniCPMO45.token2wav.loading import build_flow
from MiniCPMO45.token2wav.noise import SeededExcitation
from tests.golden.token2wav import inputs
from tests.unit.token2wav_support import (
    CPU,
    make_token2wav,
    make_voice,
    make_windows,
    networks,
    next_mel,
)

SAMPLES_PER_FRAME = 480
TAIL = 8 * SAMPLES_PER_FRAME


@pytest.fixture(scope="module", params=["tiny", pytest.param("published", marks=pytest.mark.slow)])
def token2wav(request: pytest.FixtureRequest) -> Token2Wav:
    return make_token2wav(request.param)


@pytest.fixture(scope="module")
def tiny() -> Token2Wav:
    return make_token2wav("tiny")


def speak(stream: VocoderStream, windows: list[list[int]]) -> list[Tensor]:
    """Render a turn that ends with the last window."""
    n_before = len(windows) - 1
    return [stream.push(window, last=index == n_before) for index, window in enumerate(windows)]


@pytest.mark.parametrize(
    ("windows", "samples"),
    [
        ((28, 28, 8), (24000, 24000, 11520)),
        ((8, 28, 3), (4800, 24000, 6720)),
        ((5,), (4800,)),
        ((1,), (960,)),
    ],
)
def test_every_window_gives_the_samples_of_its_codes(tiny, windows, samples):
    stream = tiny.stream(make_voice(tiny))
    waveforms = speak(stream, make_windows(*windows))
    assert tuple(waveform.numel() for waveform in waveforms) == samples
    assert all(waveform.dtype == torch.float32 for waveform in waveforms)


def test_published_sizes_keep_the_lengths(token2wav):
    stream = token2wav.stream(make_voice(token2wav))
    lengths = [waveform.numel() for waveform in speak(stream, make_windows(8, 12, 3))]
    assert lengths == [5 * 960, 9 * 960, 3 * 960 + TAIL]


def test_windows_shorter_than_the_overlap_lose_and_add_nothing(tiny):
    stream = tiny.stream(make_voice(tiny))
    windows = make_windows(4, 5, 6, 28, 4)
    waveforms = speak(stream, windows)
    assert [waveform.numel() for waveform in waveforms] == [960, 1920, 2880, 24000, 3840 + TAIL]
    sound = torch.cat(waveforms)
    assert not sound[:TAIL].any()
    assert bool((sound[TAIL : TAIL + 960] != 0).all())


def test_a_turn_of_several_windows_begins_with_160_ms_of_silence(tiny):
    first, _ = speak(tiny.stream(make_voice(tiny)), make_windows(28, 10))
    assert not first[:TAIL].any()
    assert first[TAIL:].abs().max() > 1e-4


def test_an_empty_last_window_gives_out_the_sound_that_was_held_back(tiny):
    (window, more) = make_windows(28, 28)
    stream, longer = (tiny.stream(make_voice(tiny)) for _ in range(2))
    stream.push(window, last=False)
    tail = stream.push([], last=True)
    longer.push(window, last=False)
    continued = longer.push(more, last=False)[:TAIL]
    assert tail.numel() == TAIL
    # The continuation fades out of that very sound, so both begin nearly alike.
    torch.testing.assert_close(continued[:240], tail[:240], rtol=0, atol=0.2 * float(tail.std()))
    assert tiny.stream(make_voice(tiny)).push([], last=True).numel() == 0


def test_interleaved_streams_sound_as_each_alone(token2wav):
    voices = [make_voice(token2wav, 15, "one"), make_voice(token2wav, 9, "two")]
    turns = [make_windows(28, 12, name="one"), make_windows(10, 28, name="two")]
    alone = [
        speak(token2wav.stream(voice), turn) for voice, turn in zip(voices, turns, strict=True)
    ]
    streams = [token2wav.stream(voice) for voice in voices]
    together = [
        [
            stream.push(turn[index], last=index == 1)
            for stream, turn in zip(streams, turns, strict=True)
        ]
        for index in range(2)
    ]
    for index in range(2):
        for row in range(2):
            assert torch.equal(together[index][row], alone[row][index])


def test_a_restarted_stream_repeats_the_turn_exactly(token2wav):
    stream = token2wav.stream(make_voice(token2wav), seed=7)
    windows = make_windows(28, 12)
    first = speak(stream, windows)
    stream.restart(SeededExcitation(7, CPU))
    again = speak(stream, windows)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_restart_in_mid_turn_drops_what_was_held_back(tiny):
    stream = tiny.stream(make_voice(tiny), seed=3)
    windows = make_windows(28, 28, 9)
    expected = speak(stream, windows)
    stream.restart(SeededExcitation(5, CPU))
    stream.push(make_windows(28, name="cut short")[0], last=False)
    stream.restart(SeededExcitation(3, CPU))
    assert torch.equal(torch.cat(speak(stream, windows)), torch.cat(expected))


def test_the_seed_decides_the_sound(tiny):
    windows = make_windows(12)
    sounds = [speak(tiny.stream(make_voice(tiny), seed=seed), windows)[0] for seed in (0, 0, 1)]
    assert torch.equal(sounds[0], sounds[1])
    assert not torch.equal(sounds[0], sounds[2])


def test_speaking_changes_neither_the_weights_nor_the_voice(tiny):
    voice = make_voice(tiny)
    before = {key: value.clone() for key, value in networks("tiny")[0].state_dict().items()}
    fresh = tiny.stream(voice).push(make_windows(28)[0], last=True)
    speak(tiny.stream(voice), make_windows(28, 28, 28, 28, 28, 4))
    after = networks("tiny")[0].state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert torch.equal(tiny.stream(voice).push(make_windows(28)[0], last=True), fresh)


def test_memory_does_not_grow_with_a_prompt_of_25_s_and_40_windows(tiny, monkeypatch):
    allocated: list[int] = []
    allocate = FrameCache.allocate.__func__

    def counted(cls, shape, like) -> FrameCache:
        allocated.append(1)
        return allocate(cls, shape, like)

    monkeypatch.setattr(FrameCache, "allocate", classmethod(counted))
    stream = tiny.stream(make_voice(tiny, 625))
    allocated.clear()
    lengths = []
    for window in make_windows(*[28] * 40):
        assert stream.push(window, last=False).numel() == 24000
        state = stream.state
        lengths.append((state.estimator.length, state.encoder.tokens.length))
    assert not allocated
    assert set(lengths[2:]) == {(1250 + 100 + 50, 625 + 50 + 25)}


def test_the_tiny_model_renders_a_turn_end_to_end_within_a_second(tiny):
    started_s = time.perf_counter()
    speak(tiny.stream(make_voice(tiny, 50)), make_windows(28, 28, 8))
    assert time.perf_counter() - started_s < 1.0


@pytest.mark.parametrize(
    ("codes", "last", "message"),
    [
        ([1, 2, 3], False, "3 codes are too few"),
        ([], False, "0 codes are too few"),
        ([1] * 29, True, "29 codes at once"),
        ([1, 2, 3, 4, 6561], False, "6561 is not in 0..6560"),
        ([-1], True, "-1 is not in 0..6560"),
    ],
)
def test_a_refused_window_leaves_the_stream_as_it_was(tiny, codes, last, message):
    stream = tiny.stream(make_voice(tiny))
    with pytest.raises(ValueError, match=message):
        stream.push(codes, last=last)
    untouched = tiny.stream(make_voice(tiny))
    (window,) = make_windows(10)
    assert torch.equal(stream.push(window, last=True), untouched.push(window, last=True))


def test_a_finished_turn_takes_no_more_codes(tiny):
    stream = tiny.stream(make_voice(tiny))
    stream.push([1, 2], last=True)
    assert stream.finished
    with pytest.raises(RuntimeError, match="the turn has ended"):
        stream.push([1, 2], last=True)


def test_more_solver_steps_sound_different():
    few, many = (
        make_token2wav("tiny", options=Token2WavOptions(flow_steps=steps)) for steps in (1, 10)
    )
    (window,) = make_windows(12)
    sounds = [speak(each.stream(make_voice(each)), [window])[0] for each in (few, many)]
    assert not torch.allclose(sounds[0], sounds[1], atol=1e-4)


@torch.inference_mode()
def test_flow_weights_in_lower_precision_give_nearly_the_same_sound():
    options = Token2WavOptions(flow_steps=2)
    hift = networks("tiny")[1]
    mels = []
    for dtype in (torch.float32, torch.bfloat16):
        model = Token2Wav(
            build_flow(flow_state(FLOW), FLOW, CPU), hift, dtype=dtype, options=options
        )
        voice = make_voice(model)
        assert voice.base.encoder.lookahead.dtype == dtype
        state = voice.base.resized(200)
        mels.append(next_mel(model, state, voice, make_windows(28)[0], last=True))
    assert mels[1].dtype == torch.float32
    difference = (mels[0] - mels[1]).square().mean().sqrt() / mels[0].square().mean().sqrt()
    assert 0 < float(difference) < 0.05


def test_the_embedded_checkpoint_hums_softly_in_the_given_voice(embedded_checkpoint):
    token2wav = Token2Wav.load(embedded_checkpoint / "assets" / "token2wav")
    voice = token2wav.prepare_voice(inputs.recording("rate_24k", 24000), 24000)
    sound = torch.cat(speak(token2wav.stream(voice), make_windows(28, 28, 28, 8)))
    assert 0.01 < float(sound[TAIL:].std()) < 0.1
    assert float(sound.abs().max()) < 0.5


def test_the_embedded_checkpoint_stays_within_14_megabytes(embedded_checkpoint):
    sizes = [path.stat().st_size for path in embedded_checkpoint.rglob("*") if path.is_file()]
    assert sum(sizes) <= 14e6
