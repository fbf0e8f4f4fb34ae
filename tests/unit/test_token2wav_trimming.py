"""What long turns forget, checked against lists that are cut in the published order."""

from __future__ import annotations

import pytest
import torch

from MiniCPMO45.token2wav.configuration import EncoderConfig, EstimatorConfig
from MiniCPMO45.token2wav.flow_state import EncoderState, EstimatorState
from MiniCPMO45.token2wav.frame_cache import FrameCache, FrameLayer
from MiniCPMO45.token2wav.trimming import keep_token_positions

CHUNK = 50
N_CHUNKS = 8
PROMPTS = (60, 150, 300)
ESTIMATOR = EstimatorConfig(in_channels=4, out_channels=1, depth=1, num_heads=1, head_dim=1)
ENCODER = EncoderConfig(
    input_size=2, output_size=2, num_blocks=1, num_up_blocks=1, attention_heads=1
)
LIKE = torch.zeros(())


def write(layer: FrameLayer, names: range) -> None:
    """Append frames whose keys are their names, and whose values are minus those."""
    named = torch.tensor([*names], dtype=torch.float32)
    rows, width = layer.keys.shape[0], layer.keys.shape[-1]
    keys = named[None, None, :, None].expand(rows, 1, -1, width)
    layer.append(keys, -keys)


def read(layer: FrameLayer) -> list[int]:
    keys, values = (each[:, :, : layer.length] for each in (layer.keys, layer.values))
    assert torch.equal(keys, -values)
    return keys[0, 0, :, 0].int().tolist()


def estimator_with_prompt(n_prompt: int) -> EstimatorState:
    state = EstimatorState.allocate(ESTIMATOR, 1, n_prompt + 100 + CHUNK, LIKE)
    write(state.block(0, 0).attention, range(n_prompt))
    state.advance(n_prompt)
    return state


def names_newest_first(state: EstimatorState) -> list[int]:
    places = read(state.block(0, 0).attention)
    return [places[place] for place in state.newest_first]


@pytest.mark.parametrize("n_prompt", PROMPTS)
def test_the_estimator_keeps_the_first_and_the_last_of_the_newest_first_list(n_prompt):
    state, simulated = estimator_with_prompt(n_prompt), [*range(n_prompt)]
    for chunk in range(N_CHUNKS):
        first = n_prompt + chunk * CHUNK
        new = range(first, first + CHUNK)
        write(state.block(0, 0).attention, new)
        state.advance(CHUNK)
        state.trim(n_prompt, "reference")
        simulated = [*new, *simulated]
        if len(simulated) > n_prompt + 100:
            simulated = simulated[:n_prompt] + simulated[-100:]
        assert names_newest_first(state) == simulated
        assert state.length == len(simulated)


@pytest.mark.parametrize("n_prompt", PROMPTS)
def test_the_estimator_can_keep_the_prompt_and_the_newest_instead(n_prompt):
    state = estimator_with_prompt(n_prompt)
    for chunk in range(N_CHUNKS):
        first = n_prompt + chunk * CHUNK
        write(state.block(0, 0).attention, range(first, first + CHUNK))
        state.advance(CHUNK)
        state.trim(n_prompt, "prompt_plus_recent")
    n_generated = N_CHUNKS * CHUNK
    newest = range(n_prompt + n_generated - 100, n_prompt + n_generated)
    assert sorted(names_newest_first(state)) == [*range(n_prompt), *newest]


def simulate_encoder(n_prompt: int, rule: str) -> tuple[list[int], list[int]]:
    """Names of token-rate and mel-rate positions after all chunks, by cutting lists."""
    tokens, frames = [*range(n_prompt // 2)], [*range(n_prompt)]
    for chunk in range(N_CHUNKS):
        first = n_prompt + chunk * CHUNK
        tokens += range(first // 2, (first + CHUNK) // 2)
        frames += range(first, first + CHUNK)
        if len(frames) > n_prompt + 100:
            frames = frames[:n_prompt] + frames[-100:]
            if rule == "split":
                tokens = tokens[: n_prompt // 2] + tokens[-50:]
            else:
                packed = tokens + tokens
                packed = packed[:n_prompt] + packed[-100:]
                tokens = packed[: len(packed) // 2]
    return tokens, frames


@pytest.mark.parametrize("rule", ["split", "packed"])
@pytest.mark.parametrize("n_prompt", PROMPTS)
def test_the_encoder_keeps_what_the_rule_names(n_prompt, rule):
    state = EncoderState.allocate(ENCODER, (n_prompt + 100 + CHUNK) // 2, LIKE)
    sizes = [n_prompt] + [CHUNK] * N_CHUNKS
    first = 0
    for size in sizes:
        write(state.tokens.layer(0), range(first // 2, (first + size) // 2))
        write(state.frames.layer(0), range(first, first + size))
        state.tokens.advance(size // 2)
        state.frames.advance(size)
        state.trim(n_prompt, rule)
        first += size
    expected_tokens, expected_frames = simulate_encoder(n_prompt, rule)
    assert read(state.tokens.layer(0)) == expected_tokens
    assert read(state.frames.layer(0)) == expected_frames


def test_the_packed_rule_keeps_the_first_second_of_the_turn_for_ever():
    assert keep_token_positions(80 + 75, 160, 2, "packed") == [*range(80 + 50)]
    assert keep_token_positions(80 + 75, 160, 2, "split") == [*range(80), *range(105, 155)]


def test_nothing_is_forgotten_up_to_two_seconds_beside_the_prompt():
    for rule in ("packed", "split"):
        assert keep_token_positions(130, 160, 2, rule) == [*range(130)]


def test_moving_positions_reads_all_before_it_writes_any():
    cache = FrameCache.allocate((1, 1, 1, 6, 1), LIKE)
    write(cache.layer(0), range(6))
    cache.advance(6)
    cache.arrange([0, 2, 1, 1, 5])
    assert read(cache.layer(0)) == [0, 2, 1, 1, 5]


def test_a_resized_copy_shares_nothing_with_its_original():
    cache = FrameCache.allocate((1, 1, 1, 3, 1), LIKE)
    write(cache.layer(0), range(3))
    cache.advance(3)
    copy = cache.resized(5)
    write(copy.layer(0), range(7, 9))
    copy.advance(2)
    copy.arrange([4, 3])
    assert read(copy.layer(0)) == [8, 7]
    assert read(cache.layer(0)) == [0, 1, 2]
