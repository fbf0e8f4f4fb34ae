"""Chunks of fixed shapes, as CUDA graphs do them, against plain ones; here nothing is captured."""

from __future__ import annotations

import weakref
from unittest.mock import patch

import pytest
import torch
from torch import Tensor

from MiniCPMO45.batching import Request, serve
from MiniCPMO45.slots import VOICE_S
from MiniCPMO45.token2wav import Token2Wav, Token2WavOptions, VocoderStream
from MiniCPMO45.token2wav.flow_state import FlowState
from MiniCPMO45.token2wav.graphs import (
    ALONE_FRAMES,
    FRAME_BUCKETS,
    MOST_FRAMES,
    STREAMS,
    FlowGraphs,
    VocoderGraphs,
    _FlowWorkspace,
)
from MiniCPMO45.token2wav.prompt import LONGEST_S
from MiniCPMO45.token2wav.state_pool import StatePool
from MiniCPMO45.token2wav.stream import Push
from MiniCPMO45.token2wav.synthesis import Chunk
from MiniCPMO45.token2wav.trimming import RECENT_FRAMES, EncoderTrim, EstimatorTrim
from tests.unit.token2wav_support import make_token2wav, make_voice, make_windows, next_mel

PROMPTS = {"long": 130, "short": 15}
WINDOWS = (28, 28, 12, 28, 28, 28, 9)
ONE_STEP = Token2WavOptions(flow_steps=1)
SOUND_TOLERANCE = 1e-3  # the vocoder adds up phases, and with them the rounding of the pitch


def captured(options: Token2WavOptions | None = None, *, side_by_side: bool = False) -> Token2Wav:
    token2wav = make_token2wav(options=options)
    assert list(token2wav.capture(side_by_side=side_by_side))[-1] == 1
    return token2wav


def filled(state: FlowState) -> list[Tensor]:
    """All that a stream remembers of its mel frames."""
    parts = [
        each[..., : cache.length, :]
        for cache in state.caches
        for each in (cache._keys, cache._values)
    ]
    return [*state.contexts, *parts]


@pytest.mark.parametrize(
    ("encoder_trim", "estimator_trim"),
    [("split", "reference"), ("packed", "prompt_plus_recent")],
)
def test_chunks_of_fixed_shapes_move_streams_on_as_plain_ones(
    encoder_trim: EncoderTrim, estimator_trim: EstimatorTrim
) -> None:
    options = Token2WavOptions(
        flow_steps=2, encoder_trim=encoder_trim, estimator_trim=estimator_trim
    )
    models = make_token2wav(options=options), captured(options)
    pairs: dict[str, list[VocoderStream]] = {
        name: [model.stream(make_voice(model, n_tokens, name)) for model in models]
        for name, n_tokens in PROMPTS.items()
    }
    with patch.object(FlowGraphs, "run", autospec=True, side_effect=FlowGraphs.run) as run:
        for index, window in enumerate(make_windows(*WINDOWS)):
            for plain, fixed in pairs.values():  # in turn, through the same memory
                last = index == len(WINDOWS) - 1
                expected, sound = (each.push(window, last=last) for each in (plain, fixed))
                torch.testing.assert_close(sound, expected, atol=SOUND_TOLERANCE, rtol=0)
                newest_first = plain.state.estimator.newest_first
                assert fixed.state.estimator.newest_first == newest_first
                for ours, theirs in zip(filled(fixed.state), filled(plain.state), strict=True):
                    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert sum(len(call.args[1]) for call in run.call_args_list) == len(WINDOWS) * len(PROMPTS)


def test_streams_side_by_side_sound_as_each_does_alone() -> None:
    """Six streams of which some begin later, pause or end, and one is too long to share."""
    alone, shared = make_token2wav(), captured(side_by_side=True)
    n_codes = (15, 130, 40, 20, 260, 15)
    pairs = [
        [model.stream(make_voice(model, count, str(count))) for model in (alone, shared)]
        for count in n_codes
    ]
    windows = make_windows(28, 28, 28, 28)
    rounds = [(0, 1, 4), (0, 1, 2, 3, 4, 5), (5, 0, 1, 2, 3, 4), (0, 1)]
    with patch.object(
        VocoderGraphs, "_render", autospec=True, side_effect=VocoderGraphs._render
    ) as render:
        for index, pushing in enumerate(rounds):
            pushes = [
                Push(pairs[stream][1], windows[index][int(stream == 3) :], last=index == 3)
                for stream in pushing
            ]
            sounds = shared.speak(pushes)
            for stream, push, sound in zip(pushing, pushes, sounds, strict=True):
                expected = pairs[stream][0].push(push.codes, last=push.last)
                torch.testing.assert_close(sound, expected, atol=SOUND_TOLERANCE, rtol=0)
                for ours, theirs in zip(
                    filled(pairs[stream][1].state), filled(pairs[stream][0].state), strict=True
                ):
                    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert max(len(call.args[1]) for call in render.call_args_list) == STREAMS


def test_a_wrong_push_leaves_the_streams_beside_it_as_they_were() -> None:
    token2wav = captured(side_by_side=True)
    streams = [token2wav.stream(make_voice(token2wav)) for _ in range(2)]
    (window,) = make_windows(28)
    before = [each.clone() for each in filled(streams[0].state)]
    with pytest.raises(ValueError, match="too few"):
        token2wav.speak([Push(streams[0], window, False), Push(streams[1], [1, 2], False)])
    assert all(map(torch.equal, before, filled(streams[0].state)))
    assert streams[0].push(window, last=False).numel() == 25 * 960


@pytest.mark.parametrize("failing", ["mel", "vocoder"])
def test_a_push_that_fails_half_way_is_as_if_it_had_not_been_tried(failing: str) -> None:
    """Five streams are two groups; the second one fails, whereupon each is tried alone."""
    token2wav = captured(ONE_STEP, side_by_side=True)
    pairs = [
        [token2wav.stream(make_voice(token2wav, n_codes), seed=n_codes) for _ in range(2)]
        for n_codes in (15, 16, 17, 18, 19)
    ]
    owner, name = {
        "mel": (_FlowWorkspace, "run"),
        "vocoder": (VocoderGraphs, "_render"),
    }[failing]
    work, n_calls = getattr(owner, name), 0

    def fails_the_second_time(*arguments: object) -> object:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            raise torch.OutOfMemoryError
        return work(*arguments)

    *before, window = make_windows(28, 28, 28, 28)  # the last one forgets something
    for earlier in before:
        token2wav.speak([Push(each, earlier, last=False) for pair in pairs for each in pair])
    expected = [plain.push(window, last=False) for plain, _ in pairs]
    requests = [Request(token2wav.speak, Push(each, window, last=False)) for _, each in pairs]
    with patch.object(owner, name, fails_the_second_time):
        serve(requests)
    assert n_calls == 2 + len(pairs)
    for request, sound, (plain, stream) in zip(requests, expected, pairs, strict=True):
        torch.testing.assert_close(request.result, sound, atol=SOUND_TOLERANCE, rtol=0)
        for ours, theirs in zip(filled(stream.state), filled(plain.state), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_the_mel_frames_of_a_fixed_chunk_equal_those_of_a_plain_one() -> None:
    models = make_token2wav(), captured()
    voices = [make_voice(model, 40) for model in models]
    with torch.inference_mode():
        states = [voice.base.resized(256) for voice in voices]
        for window in make_windows(28, 28, 28):
            expected, mel = (
                next_mel(model, state, voice, window)
                for model, state, voice in zip(models, states, voices, strict=True)
            )
            torch.testing.assert_close(mel, expected, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("last", [False, True])
def test_chunks_of_every_length_up_to_a_second_are_captured(last: bool) -> None:
    """Longer ones first, so that the others are padded with what these have left."""
    models = make_token2wav(options=ONE_STEP), captured(ONE_STEP)
    voices = [make_voice(model, 20) for model in models]
    n_ahead = 0 if last else models[0].synthesizer.lookahead
    (codes,) = make_windows(28)
    for n_codes in range(25 + n_ahead, n_ahead, -1):
        window = codes[:n_codes]
        plain, fixed = (voice.base.resized(256) for voice in voices)
        chunk = Chunk(fixed, voices[1], window, last)
        assert models[1].synthesizer.is_captured(chunk)
        expected, mel = (
            next_mel(model, state, voice, window, last=last)
            for model, state, voice in zip(models, (plain, fixed), voices, strict=True)
        )
        torch.testing.assert_close(mel, expected, atol=1e-5, rtol=1e-5)
        for ours, theirs in zip(filled(fixed), filled(plain), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    whole = Chunk(voices[1].base, voices[1], codes, last=True)
    assert not models[1].synthesizer.is_captured(whole)


def test_what_comes_of_a_stream_is_not_overwritten_by_the_next_chunk() -> None:
    token2wav = captured()
    stream = token2wav.stream(make_voice(token2wav))
    windows = make_windows(28, 28, 28)
    first = stream.push(windows[0], last=False)
    kept = first.clone()
    for window in windows[1:]:
        stream.push(window, last=False)
    assert torch.equal(first, kept)


def test_the_sizes_hold_the_longest_recording_and_suit_the_kernels() -> None:
    second = 50
    assert LONGEST_S * second + RECENT_FRAMES + second <= FRAME_BUCKETS[-1]
    assert FRAME_BUCKETS[-1] <= STREAMS * MOST_FRAMES  # which is the same memory
    assert VOICE_S * second + RECENT_FRAMES + second <= ALONE_FRAMES
    assert list(FRAME_BUCKETS) == sorted(FRAME_BUCKETS)
    assert not any(size % 128 for size in FRAME_BUCKETS)


def test_a_stream_takes_over_the_memory_of_one_that_was_dropped() -> None:
    token2wav = make_token2wav()
    long, short = (make_voice(token2wav, n_tokens) for n_tokens in PROMPTS.values())
    (window,) = make_windows(10)
    first, other = token2wav.stream(short), token2wav.stream(long)
    expected, state = first.push(window, last=True), first.state
    assert other.state is not state
    del first
    again = token2wav.stream(short)
    assert again.state is state
    assert torch.equal(again.push(window, last=True), expected)
    assert token2wav.stream(short).state is not state


def test_no_more_states_are_kept_than_were_in_use_at_once() -> None:
    base = make_voice(make_token2wav()).base
    pool = StatePool()
    states = [pool.take(base, 200) for _ in range(3)]
    assert {state.n_frames for state in states} == {256}
    kept = weakref.WeakSet(states)
    while states:
        pool.give_back(states.pop())
    others = [pool.take(base, 300) for _ in range(2)]
    assert len(kept) == 1
    assert pool.take(base, 256) in kept
    assert len({id(state) for state in others}) == 2
