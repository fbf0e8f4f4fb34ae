"""Numbers that are none: they end the conversation they arose in, and touch no other."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from core.errors import SessionFailedError
from core.processors.model_errors import service_errors
from MiniCPMO45 import ChatMessage, ChatSession, GenerationOptions, MiniCPMO, NotFiniteError
from MiniCPMO45.packed_rows import Feed, PackedRows
from MiniCPMO45.sampling import NOT_FINITE, best_token, drawn_token, read_token
from MiniCPMO45.sessions.duplex import DuplexSession
from MiniCPMO45.sessions.duplex_options import DuplexOptions
from MiniCPMO45.speech_sampling import SpeechSampling, draw_code
from MiniCPMO45.speech_units import SpeechUnit, SpeechUnits
from tests.golden.inputs import wave
from tests.unit.test_decoder import SHAPE, alone, assert_close, make_decoder
from tests.unit.test_duplex_session import PREFIX, SUFFIX
from tests.unit.test_encoder_graphs import Stream, differences, ear  # noqa: F401  a fixture

NAN, INF = float("nan"), float("inf")
QUESTION = [ChatMessage("user", "Hello")]


@pytest.mark.parametrize("bad", [[1.0, NAN, 2.0], [NAN] * 3, [1.0, INF, 0.0], [-INF] * 3], ids=str)
def test_scores_that_are_no_numbers_give_no_token(bad: list[float]) -> None:
    scores = torch.tensor(bad)
    drawn = drawn_token(scores, torch.Generator())
    codes = draw_code(torch.stack([scores, torch.arange(3.0)]), torch.ones(2, 3))
    assert best_token(scores) == drawn == codes[0] == NOT_FINITE
    assert codes[1] == 2
    with pytest.raises(NotFiniteError):
        read_token(drawn)


def test_scores_that_are_only_barred_are_drawn_as_multinomial_draws_them() -> None:
    scores = torch.randn(500).index_fill(0, torch.arange(50), -INF)
    expected = torch.multinomial(scores.softmax(-1), 1, generator=torch.Generator().manual_seed(3))
    assert read_token(drawn_token(scores, torch.Generator().manual_seed(3))) == expected


@pytest.mark.parametrize("do_sample", [False, True])
def test_an_answer_ends_with_an_error_and_its_slot_serves_the_next(
    model: MiniCPMO, do_sample: bool
) -> None:
    options = GenerationOptions(max_new_tokens=4, do_sample=do_sample)

    def answer() -> list[int]:
        with ChatSession(model, seed=1) as session:
            session.prefill(QUESTION)
            for _ in session.generate(options):
                continue
            assert session.answer is not None
            return session.answer.token_ids

    expected = answer()
    with ChatSession(model) as first, ChatSession(model) as second:
        for poisoned in (first, second):
            poisoned.prefill(QUESTION)
            poisoned.last_hidden = torch.full_like(poisoned.last_hidden, NAN)
            with pytest.raises(SessionFailedError), service_errors():
                next(poisoned.generate(options))
    caches = (model.language.cache.keys, model.language.cache.values)
    for tensor in caches:
        tensor.fill_(NAN)
    assert answer() == expected
    for tensor in caches:
        tensor.zero_()


def test_a_call_whose_sound_overflows_ends_at_its_next_decision(
    model: MiniCPMO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DuplexSession(model, DuplexOptions(force_listen_count=0)) as session:
        session.prepare(PREFIX, SUFFIX)
        hear = model.encode_audio_live
        monkeypatch.setattr(model, "encode_audio_live", lambda *args, **kw: hear(*args, **kw) * NAN)
        session.prefill(wave(1, 1.0))
        with pytest.raises(NotFiniteError):
            session.generate()


@pytest.mark.parametrize("backend", ["sdpa", "eager"])
def test_what_a_lost_conversation_left_in_a_slot_is_never_read(backend) -> None:
    decoder = make_decoder(n_slots=2, backend=backend)
    for tensor in (decoder.cache.keys, decoder.cache.values):
        tensor.fill_(NAN)
    rows = torch.randn(9, SHAPE.hidden_size)
    slots = [decoder.cache.acquire(), decoder.cache.acquire()]
    states: list[Tensor] = []
    for piece in rows.split([4, 1, 4]):
        states = decoder.run([Feed(piece, slot, slot.length) for slot in slots])
    for state in states:
        assert_close(state, alone(rows)[-4:])


@torch.inference_mode()
def test_what_a_lost_stream_left_in_its_ear_is_wiped_out(ear) -> None:  # noqa: F811
    lost = Stream(ear, 0, 3)
    for tensor in (ear._caches.keys, ear._caches.values):
        tensor[:, lost.cache.slot] = NAN
    assert max(differences([Stream(ear, 0, 1), Stream(ear, 1, 2)])) < 1e-5


# -- seconds of speech -----------------------------------------------------------------------------


class PlainSteps:
    """Steps of a captured decoder, launched one by one by plain PyTorch."""

    def __init__(self, model: MiniCPMO) -> None:
        self._speech = model.speech
        self.rows = model.speech.cache.keys.new_zeros(16, model.speech.stack.shape.hidden_size)

    def plan(self, n_rows: int) -> int:
        return n_rows

    def place(self, plan: int, feeds: Sequence[Feed]) -> None:
        self._places = [[feed.slot.index, feed.slot.length, feed.first_position] for feed in feeds]

    def run(self, plan: int) -> Tensor:
        feeds: list[Any] = [
            SimpleNamespace(
                slot=SimpleNamespace(index=slot, length=length),
                rows=self.rows[row : row + 1],
                first_position=position,
            )
            for row, (slot, length, position) in enumerate(self._places)
        ]
        layout = PackedRows.of(feeds, self.rows.device)
        hidden = self.rows.new_zeros(plan, self.rows.shape[1])
        speech = self._speech
        rows = self.rows[: len(feeds)]
        hidden[: len(feeds)] = speech.stack(rows, speech.cache, layout, speech.rotary)
        return hidden

    def move_on(self, plan: int) -> None:
        self._places = [[slot, length + 1, position + 1] for slot, length, position in self._places]


@torch.inference_mode()
def test_a_second_of_speech_that_overflows_leaves_the_one_beside_it_as_alone(
    model: MiniCPMO,
) -> None:
    steps: Any = PlainSteps(model)
    units = SpeechUnits(model.tts, model.speech, steps)
    for size in (1, 2):
        plan: Any = size
        replay: Any = SimpleNamespace(replay=lambda size=size, plan=plan: units._draw(size, plan))
        units._graphs[size] = replay
    width, n_codes = model.speech.stack.shape.hidden_size, model.tts.config.num_audio_tokens
    rows = torch.randn(3, width, generator=torch.Generator().manual_seed(0))
    noise = torch.empty(26, n_codes).exponential_(generator=torch.Generator().manual_seed(0))
    slots = [model.speech.cache.acquire() for _ in range(2)]

    def unit(slot: int, rows: Tensor) -> SpeechUnit:
        return SpeechUnit(rows, slots[slot], 0, 26, 26, SpeechSampling(), [], noise)

    (expected,) = units.run([unit(0, rows)])
    assert len(expected) == 26 and NOT_FINITE not in expected
    slots[0].truncate(0)
    spoken, lost = units.run([unit(0, rows), unit(1, rows * NAN)])
    assert (spoken, lost) == (expected, [NOT_FINITE])
    assert [slot.length for slot in slots] == [3 + 25, 3]
    for slot in slots:
        slot.close()
