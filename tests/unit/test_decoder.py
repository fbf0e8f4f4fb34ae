from __future__ import annotations

import pytest
import torch

from MiniCPMO45.errors import NoFreeSlotError, PromptTooLongError
from MiniCPMO45.kv_cache import KVCache
from MiniCPMO45.llm import DecoderShape, DecoderStack, RotaryTable

# head_dim * heads differs from hidden_size on purpose
SHAPE = DecoderShape(
    hidden_size=24,
    intermediate_size=40,
    n_layers=2,
    n_heads=4,
    n_kv_heads=2,
    head_dim=8,
    rms_norm_eps=1e-6,
    rope_theta=10000.0,
    qk_norm=True,
)
CPU = torch.device("cpu")


def make_stack() -> DecoderStack:
    torch.manual_seed(0)
    stack = DecoderStack(SHAPE, vocab_size=50)
    for parameter in stack.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return stack.requires_grad_(False)


def make_cache(n_slots: int = 1, capacity: int = 32) -> KVCache:
    return KVCache(SHAPE, n_slots=n_slots, capacity=capacity, device=CPU, dtype=torch.float32)


ROTARY = RotaryTable(SHAPE, 32, device=CPU, dtype=torch.float32)


@pytest.mark.parametrize("backend", ["sdpa", "eager"])
def test_prefill_in_pieces_and_step_by_step_equal_one_pass(backend, monkeypatch):
    stack = make_stack()
    stack.backend = backend
    rows = torch.randn(11, SHAPE.hidden_size)
    whole = stack.prefill(rows, make_cache().acquire(), ROTARY)

    pieces_slot, steps_slot = make_cache().acquire(), make_cache().acquire()
    pieces = [stack.prefill(piece, pieces_slot, ROTARY) for piece in rows.split([4, 1, 6])]
    torch.testing.assert_close(torch.cat(pieces), whole, atol=1e-5, rtol=1e-5)

    steps = []
    for row in rows:
        hidden = stack.decode(
            row[None, None], steps_slot.cache, steps_slot.rows, ROTARY, kv_length=20
        )
        steps_slot.length += 1
        steps.append(hidden[0, 0])
    torch.testing.assert_close(torch.stack(steps), whole, atol=1e-5, rtol=1e-5)


def test_a_long_prefill_runs_in_bounded_chunks_with_the_same_result(monkeypatch):
    stack = make_stack()
    rows = torch.randn(11, SHAPE.hidden_size)
    whole = stack.prefill(rows, make_cache().acquire(), ROTARY)
    monkeypatch.setattr("MiniCPMO45.llm.PREFILL_CHUNK", 4)
    slot = make_cache().acquire()
    torch.testing.assert_close(stack.prefill(rows, slot, ROTARY), whole, atol=1e-5, rtol=1e-5)
    assert slot.length == 11


def test_rows_of_a_batch_decode_as_they_do_alone():
    stack = make_stack()
    prompts = [torch.randn(n, SHAPE.hidden_size) for n in (5, 9)]
    nexts = torch.randn(2, 1, SHAPE.hidden_size)
    cache = make_cache(n_slots=2)
    slots = [cache.acquire(), cache.acquire()]
    for slot, prompt in zip(slots, prompts, strict=True):
        stack.prefill(prompt, slot, ROTARY)
    together = stack.decode(nexts, cache, slice(0, 2), ROTARY, kv_length=10)
    for index, prompt in enumerate(prompts):
        alone = make_cache().acquire()
        rows = torch.cat((prompt, nexts[index]))
        expected = stack.prefill(rows, alone, ROTARY)[-1]
        torch.testing.assert_close(together[index, 0], expected, atol=1e-5, rtol=1e-5)


def test_a_decode_step_writes_only_its_own_cache_position():
    stack = make_stack()
    cache = make_cache(n_slots=2)
    slot = cache.acquire()
    stack.prefill(torch.randn(3, SHAPE.hidden_size), slot, ROTARY)
    before = cache.keys.clone()
    stack.decode(torch.randn(1, 1, SHAPE.hidden_size), cache, slot.rows, ROTARY, kv_length=4)
    changed = (cache.keys != before).any(-1).any(-1).any(0).nonzero().tolist()
    assert changed == [[slot.index, 3]]


def test_truncating_a_slot_forgets_what_came_after():
    stack = make_stack()
    rows = torch.randn(8, SHAPE.hidden_size)
    slot = make_cache().acquire()
    stack.prefill(rows, slot, ROTARY)
    slot.truncate(5)
    again = stack.prefill(rows[5:], slot, ROTARY)
    whole = stack.prefill(rows, make_cache().acquire(), ROTARY)
    torch.testing.assert_close(again, whole[5:], atol=1e-5, rtol=1e-5)


def test_a_full_slot_refuses_more_and_keeps_what_it_has():
    slot = make_cache(capacity=8).acquire()
    stack = make_stack()
    stack.prefill(torch.randn(6, SHAPE.hidden_size), slot, ROTARY)
    with pytest.raises(PromptTooLongError) as caught:
        stack.prefill(torch.randn(3, SHAPE.hidden_size), slot, ROTARY)
    assert (caught.value.n_tokens, caught.value.limit, slot.length) == (9, 8, 6)


def test_slots_are_handed_out_once_and_come_back():
    cache = make_cache(n_slots=2)
    first, second = cache.acquire(), cache.acquire()
    assert first.index != second.index
    with pytest.raises(NoFreeSlotError):
        cache.acquire()
    first.close()
    first.close()  # closing twice frees the slot once
    assert cache.acquire().index == first.index
    with pytest.raises(NoFreeSlotError):
        cache.acquire()


def test_the_usage_of_a_cache_counts_the_positions_of_its_open_slots():
    cache = make_cache(n_slots=2, capacity=8)
    first, second = cache.acquire(), cache.acquire()
    first.advance(8)
    second.advance(4)
    assert cache.usage == 0.75
    first.close()
    assert cache.usage == 0.25


def test_rounded_rotary_frequencies_differ_from_exact_ones_far_from_the_start():
    exact, rounded = (
        RotaryTable(SHAPE, 2000, device=CPU, dtype=torch.float32, frequency_dtype=dtype)
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert torch.equal(exact.cos[0], rounded.cos[0])
    assert (exact.cos[1999] - rounded.cos[1999]).abs().max() > 0.1
