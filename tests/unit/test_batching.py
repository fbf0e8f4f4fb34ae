"""Conversations in lanes: what they share, in which order, and that each comes out as if alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import pytest
import torch
from torch import Tensor

from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO
from MiniCPMO45.batching import Lane, Lanes, in_turn, together
from MiniCPMO45.decoder import Decoder
from MiniCPMO45.packed_rows import Feed
from MiniCPMO45.sessions.duplex import DuplexSession
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from tests.golden.inputs import wave
from tests.unit.test_duplex_session import PREFIX, SUFFIX, CountingVocoder

N_TOKENS = 12
QUESTIONS = ("Hello", "What is the capital of France?", "One two three four five six")


class Listed(Lane[int]):
    """A lane that keeps its events and its end."""

    def __init__(
        self, steps: Callable[[], Generator[int, None, None]], deadline_s: float | None = None
    ) -> None:
        super().__init__(steps, deadline_s)
        self.events: list[int] = []
        self.error: BaseException | None = None

    def deliver(self, event: int) -> None:
        self.events.append(event)

    def finish(self, error: BaseException | None) -> None:
        self.error = error


class Calls:
    """A function for `together` that notes with which items it was called."""

    def __init__(self) -> None:
        self.items: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.items.append(list(items))
        if 13 in items:
            raise ValueError("thirteen")
        return [10 * item for item in items]

    def lane(self, *items: int, deadline_s: float | None = None) -> Listed:
        def steps() -> Generator[int, None, None]:
            for item in items:
                yield together(self, item)

        return Listed(steps, deadline_s)


def run(*lanes: Listed) -> None:
    together_in = Lanes()
    for lane in lanes:
        together_in.add(lane)
    while together_in:
        together_in.turn()


def test_outside_a_lane_a_call_is_made_at_once() -> None:
    calls = Calls()
    assert together(calls, 4) == 40
    assert calls.items == [[4]]


def test_lanes_that_want_the_same_share_the_call() -> None:
    calls = Calls()
    first, second = calls.lane(1, 2), calls.lane(3, 4, 5)
    run(first, second)
    assert calls.items == [[1, 3], [2, 4], [5]]
    assert (first.events, second.events) == ([10, 20], [30, 40, 50])


def test_lanes_that_want_different_things_take_turns() -> None:
    one, other = Calls(), Calls()
    run(one.lane(1, 2), other.lane(3, 4))
    assert (one.items, other.items) == ([[1], [2]], [[3], [4]])


def test_the_most_urgent_lane_decides_what_is_done() -> None:
    order: list[int] = []

    def lane(name: int, deadline_s: float | None) -> Listed:
        def steps() -> Generator[int, None, None]:
            for _ in range(2):
                in_turn(lambda: order.append(name))
                yield name

        return Listed(steps, deadline_s)

    run(lane(1, None), lane(2, 20.0), lane(3, 10.0))
    assert order == [3, 3, 2, 2, 1, 1]


def test_an_error_reaches_only_the_lane_that_caused_it() -> None:
    calls = Calls()
    bad, good = calls.lane(13), calls.lane(1, 2)
    run(bad, good)
    assert isinstance(bad.error, ValueError)
    assert (bad.events, good.events, good.error) == ([], [10, 20], None)


def test_a_cancelled_lane_unwinds_where_it_waits_and_may_still_use_the_model() -> None:
    calls, closed = Calls(), []

    def steps() -> Generator[int, None, None]:
        try:
            while True:
                yield together(calls, 1)
        finally:
            closed.append(together(calls, 2))

    lane, lanes = Listed(steps), Lanes()
    lanes.add(lane)
    lanes.turn()  # to where it waits
    assert lane.request is not None
    lane.cancel()
    lanes.turn()
    assert (len(lanes), closed, calls.items) == (0, [20], [[2]])
    assert (lane.is_over, lane.error) == (True, None)


def test_a_lane_that_never_moved_is_cancelled_without_a_trace() -> None:
    calls = Calls()
    lane = calls.lane(1)
    lane.cancel()
    run(lane)
    assert (calls.items, lane.events, lane.is_over) == ([], [], True)


# -- the model -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared_model(embedded_checkpoint) -> MiniCPMO:
    return MiniCPMO.load(str(embedded_checkpoint), n_slots=5, max_length=2048)


def chatting(model: MiniCPMO, question: str, n_tokens: int = N_TOKENS) -> Listed:
    """A chat whose events are the ids of its answer; drawn, from a seed of its own."""

    def steps() -> Generator[int, None, None]:
        options = GenerationOptions(max_new_tokens=n_tokens, min_new_tokens=n_tokens)
        with ChatSession(model, seed=len(question)) as session:
            session.prefill([ChatMessage("user", question)])
            for delta in session.generate(options):
                yield hash(delta.text)

    return Listed(steps)


def calling(model: MiniCPMO, seed: int, n_units: int) -> Listed:
    """A call whose events are the ids of its units and their audio codes."""

    def steps() -> Generator[int, None, None]:
        options = DuplexOptions(force_listen_count=0)
        with DuplexSession(model, options, make_vocoder=CountingVocoder, seed=seed) as session:
            session.prepare(PREFIX, SUFFIX)
            for index in range(n_units):
                session.prefill(wave(seed + index, 1.0))
                result = session.generate()
                session.finalize()
                yield hash((*session.unit_ids, result.n_speech_tokens, result.is_listen))

    return Listed(steps, deadline_s=float(seed))


def alone(model: MiniCPMO, make: Callable[[], Listed]) -> tuple[list[int], int]:
    """The events of a conversation that has the model to itself, and the forwards it took."""
    before = model.language.n_forwards
    lane = make()
    run(lane)
    assert lane.error is None
    return lane.events, model.language.n_forwards - before


def test_chats_share_each_forward_and_say_what_they_say_alone(shared_model: MiniCPMO) -> None:
    results = [alone(shared_model, lambda q=q: chatting(shared_model, q)) for q in QUESTIONS]
    expected, n_alone = zip(*results, strict=True)
    lanes = [chatting(shared_model, question) for question in QUESTIONS]
    before = shared_model.language.n_forwards
    run(*lanes)
    assert tuple(lane.events for lane in lanes) == expected
    assert shared_model.language.n_forwards - before == max(n_alone)


def test_calls_and_chats_join_leave_and_are_cancelled_without_touching_each_other(
    shared_model: MiniCPMO,
) -> None:
    model = shared_model
    makers: list[Callable[[], Listed]] = [
        lambda: calling(model, 1, 4),
        lambda: calling(model, 2, 2),  # leaves early
        lambda: chatting(model, QUESTIONS[1], 30),
        lambda: calling(model, 3, 3),  # joins later
    ]
    expected = [alone(model, make) for make in makers]
    lanes, live = [make() for make in makers], Lanes()
    gone = chatting(model, QUESTIONS[2], 40)
    for lane in (*lanes[:3], gone):
        live.add(lane)
    before = model.language.n_forwards
    n_turns = 0
    while live:
        live.turn()
        n_turns += 1
        if n_turns == 25:
            live.add(lanes[3])
        if n_turns == 40:
            gone.cancel()
    assert gone.is_over and len(gone.events) < 40
    assert [lane.events for lane in lanes] == [events for events, _ in expected]
    n_forwards = model.language.n_forwards - before
    assert n_forwards < sum(count for _, count in expected)
    assert model.language.cache.usage == 0  # every slot came back


def test_a_forward_that_finds_no_memory_for_all_is_done_for_each(
    shared_model: MiniCPMO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who finds none for itself ends, without the others."""
    expected = [alone(shared_model, lambda q=q: chatting(shared_model, q))[0] for q in QUESTIONS]
    forward, without_memory = Decoder._forward, []

    def doomed() -> Generator[int, None, None]:
        with ChatSession(shared_model) as session:
            session.prefill([ChatMessage("user", "Hello")])
            without_memory.append(session.slot)
            for delta in session.generate():
                yield delta.n_tokens

    def short_of_memory(decoder: Decoder, feeds: Sequence[Feed]) -> Tensor:
        if len(feeds) > 1 or feeds[0].slot in without_memory:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(decoder, feeds)

    monkeypatch.setattr(Decoder, "_forward", short_of_memory)
    lanes = [chatting(shared_model, question) for question in QUESTIONS]
    lost = Listed(doomed)
    run(lost, *lanes)
    assert [lane.events for lane in lanes] == expected
    assert isinstance(lost.error, torch.OutOfMemoryError)
    assert shared_model.language.cache.usage == 0
