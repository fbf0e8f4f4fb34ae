from __future__ import annotations

import pytest
import torch
from torch import Tensor

from MiniCPMO45.attention import AttentionBackend
from MiniCPMO45.decoder import Decoder
from MiniCPMO45.errors import NoFreeSlotError, PromptTooLongError
from MiniCPMO45.int8 import quantise_linears
from MiniCPMO45.kv_cache import KVCache
from MiniCPMO45.llm import DecoderShape, DecoderStack, RotaryTable
from MiniCPMO45.packed_rows import Feed

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


def make_decoder(
    n_slots: int = 1, capacity: int = 32, backend: AttentionBackend = "sdpa"
) -> Decoder:
    """The same weights every time, with an empty cache."""
    torch.manual_seed(0)
    stack = DecoderStack(SHAPE, vocab_size=50)
    for parameter in stack.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    stack.backend = backend
    return Decoder(stack.requires_grad_(False), make_cache(n_slots, capacity), ROTARY)


def make_cache(n_slots: int = 1, capacity: int = 32) -> KVCache:
    return KVCache(SHAPE, n_slots=n_slots, capacity=capacity, device=CPU, dtype=torch.float32)


ROTARY = RotaryTable(SHAPE, 32, device=CPU, dtype=torch.float32)


def alone(rows: Tensor) -> Tensor:
    """Hidden states of a conversation that is fed all its rows at once."""
    decoder = make_decoder()
    return decoder.feed(rows, decoder.cache.acquire())


def assert_close(states: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(states, expected, atol=1e-5, rtol=1e-5)


def test_joined_projections_give_what_they_give_alone():
    rows = torch.randn(5, SHAPE.hidden_size)
    decoder = make_decoder()
    decoder.stack.join_projections()
    assert_close(decoder.feed(rows, decoder.cache.acquire()), alone(rows))


def test_layers_of_which_only_some_are_integers_are_not_joined():
    rows = torch.randn(5, SHAPE.hidden_size)
    decoder = make_decoder()
    quantise_linears(decoder.stack.layers, {"0.self_attn.q_proj.weight"})
    slot = decoder.cache.acquire()
    expected = decoder.feed(rows, slot)
    slot.truncate(0)
    decoder.stack.join_projections()
    assert_close(decoder.feed(rows, slot), expected)


@pytest.mark.parametrize("backend", ["sdpa", "eager"])
def test_feeding_in_pieces_and_one_by_one_equals_one_pass(backend):
    rows = torch.randn(11, SHAPE.hidden_size)
    decoder = make_decoder(n_slots=2, backend=backend)
    for slot, sizes in ((decoder.cache.acquire(), [4, 1, 6]), (decoder.cache.acquire(), [1] * 11)):
        states = [decoder.feed(piece, slot) for piece in rows.split(sizes)]
        assert_close(torch.cat(states), alone(rows))


def test_a_long_feed_runs_in_bounded_forwards_with_the_same_result(monkeypatch):
    rows = torch.randn(11, SHAPE.hidden_size)
    monkeypatch.setattr("MiniCPMO45.decoder.ROWS_PER_FORWARD", 4)
    decoder = make_decoder()
    slot = decoder.cache.acquire()
    states = decoder.feed(rows, slot)
    monkeypatch.undo()
    assert_close(states, alone(rows))
    assert (slot.length, decoder.n_forwards) == (11, 3)


def test_conversations_share_a_forward_and_come_out_as_if_alone():
    prompts = [torch.randn(n, SHAPE.hidden_size) for n in (5, 9, 0)]
    nexts = [torch.randn(n, SHAPE.hidden_size) for n in (1, 3, 4)]
    decoder = make_decoder(n_slots=3)
    slots = [decoder.cache.acquire() for _ in prompts]
    for slot, prompt in zip(slots, prompts, strict=True):
        if prompt.shape[0]:
            decoder.feed(prompt, slot)
    before = decoder.n_forwards
    together = decoder.run(
        [Feed(rows, slot, slot.length) for rows, slot in zip(nexts, slots, strict=True)]
    )
    assert decoder.n_forwards == before + 1
    for states, prompt, rows, slot in zip(together, prompts, nexts, slots, strict=True):
        assert_close(states, alone(torch.cat((prompt, rows)))[-rows.shape[0] :])
        assert slot.length == prompt.shape[0] + rows.shape[0]


def test_feeds_that_exceed_one_forward_are_dealt_out_over_several(monkeypatch):
    monkeypatch.setattr("MiniCPMO45.decoder.ROWS_PER_FORWARD", 6)
    prompts = [torch.randn(n, SHAPE.hidden_size) for n in (5, 9, 2)]
    decoder = make_decoder(n_slots=3)
    together = decoder.run([Feed(rows, decoder.cache.acquire(), 0) for rows in prompts])
    assert decoder.n_forwards == 3
    monkeypatch.undo()
    for states, prompt in zip(together, prompts, strict=True):
        assert_close(states, alone(prompt))


def test_a_feed_writes_only_its_own_cache_positions():
    decoder = make_decoder(n_slots=2)
    slot = decoder.cache.acquire()
    decoder.feed(torch.randn(3, SHAPE.hidden_size), slot)
    before = decoder.cache.keys.clone()
    decoder.feed(torch.randn(1, SHAPE.hidden_size), slot)
    changed = (decoder.cache.keys != before).any(-1).any(-1).any(0).nonzero().tolist()
    assert changed == [[slot.index, 3]]


def test_truncating_a_slot_forgets_what_came_after():
    rows = torch.randn(8, SHAPE.hidden_size)
    decoder = make_decoder()
    slot = decoder.cache.acquire()
    decoder.feed(rows, slot)
    slot.truncate(5)
    assert_close(decoder.feed(rows[5:], slot), alone(rows)[5:])


def test_a_full_slot_refuses_more_and_keeps_what_it_has():
    decoder = make_decoder(capacity=8)
    slot = decoder.cache.acquire()
    decoder.feed(torch.randn(6, SHAPE.hidden_size), slot)
    with pytest.raises(PromptTooLongError) as caught:
        decoder.feed(torch.randn(3, SHAPE.hidden_size), slot)
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


def test_a_forward_that_fails_leaves_every_conversation_as_it_was(monkeypatch):
    monkeypatch.setattr("MiniCPMO45.decoder.ROWS_PER_FORWARD", 6)
    decoder = make_decoder(n_slots=2)
    slots = [decoder.cache.acquire(), decoder.cache.acquire()]
    rows = torch.randn(10, SHAPE.hidden_size)
    for slot in slots:
        decoder.feed(rows[:2], slot)
    forward, memory = decoder._forward, iter([True, False])

    def short_of_memory(feeds):
        if not next(memory, True):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(feeds)

    monkeypatch.setattr(decoder, "_forward", short_of_memory)
    feeds = [Feed(rows[2:], slot, 2) for slot in slots]
    with pytest.raises(torch.OutOfMemoryError):
        decoder.run(feeds)
    assert [slot.length for slot in slots] == [2, 2]
    for states in decoder.run(feeds):
        assert_close(states, alone(rows)[2:])


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


def test_keys_are_turned_to_where_they_would_have_been_fed():
    rows = torch.randn(9, SHAPE.hidden_size)
    decoder = make_decoder(n_slots=2)
    turned, fed = decoder.cache.acquire(), decoder.cache.acquire()
    for slot, first_position in ((turned, 7), (fed, 3)):
        decoder.feed(rows[:2], slot)
        decoder.feed(rows[2:], slot, first_position)
    once, each = turned.layer(0)[0].clone(), torch.full((7,), -4)
    ROTARY.turn(turned, 2, torch.tensor([-4]))
    assert_close(turned.layer(0)[0], fed.layer(0)[0])
    for_all = turned.layer(0)[0].clone()
    turned.layer(0)[0].copy_(once)
    ROTARY.turn(turned, 2, each)
    assert torch.equal(turned.layer(0)[0], for_all)
