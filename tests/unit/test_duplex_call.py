"""Full-duplex calls on the embedded checkpoint: buffering, pictures, failures, company, length."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import InferenceError, InvalidFieldError, TooLargeError
from core.processors import (
    CallTask,
    ChunkTask,
    ContextFullError,
    Decision,
    DuplexCall,
    DuplexView,
    UnifiedProcessor,
)
from core.schemas import DuplexPrepareMessage
from MiniCPMO45.sessions.duplex_options import DuplexWindow
from tests.wire_media import audio_data, encode, picture, tone

VOICE = Path(__file__).parents[2] / "resources" / "ref_audio" / "ref_en.wav"
TEXT_ONLY = {"generate_audio": False, "force_listen_count": 0}
SPOKEN = {"force_listen_count": 0}


@pytest.fixture(scope="module")
def view(embedded_checkpoint: Path) -> DuplexView:
    processor = UnifiedProcessor(
        str(embedded_checkpoint), device="cpu", ref_audio_path=str(VOICE), n_slots=3
    )
    return processor.set_duplex_mode()


@pytest.fixture
def call(view: DuplexView) -> Iterator[DuplexCall]:
    call = view.open(seed=0)
    yield call
    call.close()


def task(view: DuplexView, config: dict[str, Any] | None = None, **fields: Any) -> CallTask:
    message = {"config": TEXT_ONLY if config is None else config} | fields
    return view.read_prepare(DuplexPrepareMessage.model_validate(message))


def prepare(call: DuplexCall, task: CallTask) -> None:
    for _ in call.prepare(task):
        continue


def noise(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(round(seconds * 16000))
    return (0.1 * samples).astype(np.float32)


def hear(call: DuplexCall, samples: np.ndarray | None = None, **fields: Any) -> Decision:
    chunk = ChunkTask(noise() if samples is None else samples, **fields)
    (decision,) = [event for event in call.hear(chunk) if event is not None]
    return decision


def speak(call: DuplexCall, word: str) -> None:
    """Let the model say this word in each unit, without an end."""
    tokenizer = call.session.model.tokenizer
    speak, end = tokenizer.ids_of(["<|speak|>", "<|chunk_eos|>"])
    choices = itertools.cycle([speak, *tokenizer.encode_plain(word), end])
    call.session.decider.choose = lambda scores: next(choices)


# -- sound -----------------------------------------------------------------------------------------


def test_sound_is_gathered_until_a_second_is_there(view: DuplexView, call: DuplexCall) -> None:
    prepare(call, task(view))
    pieces = [noise(0.3), noise(0.3), noise(0.3), noise(0.3)]
    assert [hear(call, piece).n_units for piece in pieces] == [0, 0, 0, 1]
    assert hear(call, noise(0.8)).n_units == 1


def test_a_long_chunk_is_answered_once_for_all_its_seconds(
    view: DuplexView, call: DuplexCall
) -> None:
    prepare(call, task(view, SPOKEN))
    speak(call, "one")
    decision = hear(call, noise(4.5))
    assert (decision.n_units, decision.units_so_far) == (4, 4)
    assert decision.text == "one" * 4
    assert decision.waveform is not None and decision.waveform.size >= 3 * 24000
    assert decision.costs_s["whole"] >= decision.costs_s["llm"] > 0
    assert hear(call, noise(0.5)).units_so_far == 5


def test_the_same_sound_in_other_pieces_gives_the_same_words(view: DuplexView) -> None:
    sound, texts = noise(16.0), []
    for n_samples in (16000, 4000, 70000):
        call = view.open(seed=0)
        prepare(call, task(view))
        pieces = [sound[first : first + n_samples] for first in range(0, sound.size, n_samples)]
        texts.append("".join(hear(call, piece).text for piece in pieces))
        call.close()
    assert texts[0] and texts[0] == texts[1] == texts[2]


@pytest.mark.parametrize("deferred", [True, False])
def test_the_decision_comes_before_its_unit_is_closed_if_that_may_wait(
    view: DuplexView, call: DuplexCall, deferred: bool
) -> None:
    prepare(call, task(view, deferred_finalize=deferred))
    steps = call.hear(ChunkTask(noise()))
    decision = next(step for step in steps if step is not None)
    assert (decision.kv_cache_length == call.kv_cache_length) is deferred
    assert list(steps) == []
    assert call.kv_cache_length > decision.kv_cache_length


def test_listening_that_was_asked_for_waits_for_the_next_unit(
    view: DuplexView, call: DuplexCall
) -> None:
    prepare(call, task(view))
    speak(call, "one")
    hear(call, noise(0.5), force_listen=True)
    assert hear(call, noise(0.5)).is_listen
    assert not hear(call).is_listen


# -- pictures --------------------------------------------------------------------------------------


def test_pictures_are_cut_as_finely_as_the_chunk_asks(view: DuplexView, call: DuplexCall) -> None:
    prepare(call, task(view, max_slice_nums=2))
    frames = [picture(640, 480)]
    assert hear(call).n_slices == 0
    assert hear(call, frames=frames).n_slices == 3
    assert hear(call, frames=frames, max_slice_nums=1).n_slices == 1
    assert hear(call, frames=frames * 2).n_slices == 6


def test_many_pictures_are_cut_less_finely(view: DuplexView, call: DuplexCall) -> None:
    prepare(call, task(view, max_slice_nums=9))
    assert hear(call, frames=[picture(1300, 1300)]).n_slices == 10
    assert hear(call, frames=[picture(1300, 1300)] * 8).n_slices == 40


def test_pictures_wait_for_the_sound_they_belong_to(view: DuplexView, call: DuplexCall) -> None:
    prepare(call, task(view))
    assert hear(call, noise(0.5), frames=[picture(64, 48)]).n_slices == 0
    assert hear(call, noise(0.5), frames=[picture(64, 48)]).n_slices == 2
    assert hear(call, noise(0.1), frames=[picture(64, 48)] * 8).n_slices == 0
    assert hear(call, noise(0.9), frames=[picture(64, 48)] * 3).n_slices == 8


def test_a_picture_that_cannot_be_used_loses_no_sound(view: DuplexView, call: DuplexCall) -> None:
    prepare(call, task(view, SPOKEN))
    hear(call, noise(3.0))
    length, turn_is_open = call.kv_cache_length, call.session.turn_open
    with pytest.raises(InvalidFieldError, match="too narrow") as raised:
        hear(call, frames=[picture(20_000, 1)])
    assert raised.value.field == "frame_base64_list"
    assert (call.kv_cache_length, call.session.turn_open) == (length, turn_is_open)
    assert hear(call).n_units == 2


# -- the beginning ---------------------------------------------------------------------------------


def test_the_voice_that_is_heard_may_differ_from_the_one_that_speaks(
    view: DuplexView, call: DuplexCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[int, str]] = []
    opener = view.voices.opener

    def note(recording: np.ndarray, field: str) -> Any:
        opened.append((recording.size, field))
        return opener(recording, field)

    monkeypatch.setattr(view.voices, "opener", note)
    lengths = []
    for fields in (
        {"ref_audio_base64": audio_data(1.0)},
        {"ref_audio_base64": audio_data(3.0), "tts_ref_audio_base64": audio_data(2.0)},
        {},
    ):
        prepare(call, task(view, SPOKEN, **fields))
        lengths.append(call.kv_cache_length)
    assert opened[:2] == [(16000, "ref_audio_base64"), (32000, "tts_ref_audio_base64")]
    assert opened[2][0] > 16000 * 5
    assert lengths[1] - lengths[0] == 20  # ten rows a second
    assert lengths[2] > lengths[1]


@pytest.mark.parametrize("field", ["ref_audio_base64", "tts_ref_audio_base64"])
def test_a_silent_voice_is_told_under_its_own_name(
    view: DuplexView, call: DuplexCall, field: str
) -> None:
    silence = np.zeros(16000, "<f4").tobytes()
    with pytest.raises(InvalidFieldError) as raised:
        prepare(call, task(view, SPOKEN, **{field: encode(silence)}))
    assert raised.value.field == field
    prepare(call, task(view, SPOKEN))


def test_names_of_special_tokens_in_a_prompt_are_words(view: DuplexView) -> None:
    tricky = task(view, system_prompt="<|im_end|><unit>")
    specials = view.model.tokenizer.ids_of(["<|im_end|>", "<unit>"])
    assert not set(specials) & set(tricky.prefix)


def test_a_prompt_that_leaves_no_room_is_refused_and_its_place_is_free(
    view: DuplexView, call: DuplexCall
) -> None:
    with pytest.raises(TooLargeError) as raised:
        prepare(call, task(view, system_prompt="A cat sat. " * 2900))
    assert (raised.value.field, call.kv_cache_length) == ("system_prompt", 0)
    others = [view.open() for _ in range(3)]
    for other in others:
        prepare(other, task(view))
        other.close()


# -- failures --------------------------------------------------------------------------------------


def test_a_unit_that_fails_is_forgotten_and_the_call_goes_on(
    view: DuplexView, call: DuplexCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(call, task(view))
    hear(call)
    length = call.kv_cache_length
    with monkeypatch.context() as broken:
        broken.setattr(call.session.decider, "choose", lambda scores: 1 // 0)
        with pytest.raises(InferenceError):
            hear(call)
    assert call.kv_cache_length == length
    assert hear(call).n_units == 1


def test_a_call_without_a_window_ends_when_its_context_is_full(
    view: DuplexView, call: DuplexCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view.model.language.cache, "capacity", 400)
    prepared = task(view)
    window = DuplexWindow(mode="off")
    prepare(call, replace(prepared, options=replace(prepared.options, window=window)))
    with pytest.raises(ContextFullError) as raised:
        for _ in range(30):
            hear(call)
    assert (raised.value.limit, raised.value.code) == (400, "too_large")


# -- company and length ----------------------------------------------------------------------------


def test_calls_on_one_model_do_not_hear_each_other(view: DuplexView) -> None:
    def words(calls: list[DuplexCall]) -> list[list[str]]:
        for index, call in enumerate(calls):
            prepare(call, task(view, system_prompt=f"You are number {index}."))
        units = [[hear(call, noise(seed=index)).text for call in calls] for index in range(6)]
        return [list(column) for column in zip(*units, strict=True)]

    def opened(seeds: list[int]) -> list[DuplexCall]:
        return [view.open(seed=seed) for seed in seeds]

    together = opened([0, 1, 2])
    spoken_together = words(together)
    for call in together:
        call.close()
    alone = view.open(seed=0)
    assert words([alone]) == spoken_together[:1]
    alone.close()
    assert spoken_together[0] != spoken_together[1]


def test_steps_of_several_calls_can_be_mixed(view: DuplexView) -> None:
    calls = [view.open(seed=seed) for seed in range(3)]
    for call in calls:
        prepare(call, task(view, SPOKEN))
    for _ in range(4):
        live = [call.hear(ChunkTask(tone(1.0))) for call in calls]
        while live:
            live = [steps for steps in live if next(steps, live) is not live]
    assert [call.session.n_units for call in calls] == [4, 4, 4]
    for call in calls:
        call.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "n_units",
    [
        150,
        pytest.param(
            7200,
            marks=pytest.mark.skipif("FULL_TESTS" not in os.environ, reason="two hours of calling"),
        ),
    ],
)
def test_a_long_call_keeps_deciding_in_the_same_memory(
    view: DuplexView, call: DuplexCall, n_units: int
) -> None:
    prepared = task(view, SPOKEN)
    window = DuplexWindow(mode="auto", high=600, low=400)
    prepare(call, replace(prepared, options=replace(prepared.options, window=window)))
    settled = n_units // 3
    listened: list[bool] = []
    tensors = memory_kb = 0
    for index in range(n_units):
        decision = hear(call, noise(seed=index % 50), frames=[picture(64, 48)] * (index % 10 == 0))
        listened.append(decision.is_listen)
        assert decision.kv_cache_length <= window.high + 100
        if index == settled:
            tensors, memory_kb = live_tensors(), resident_kb()
    assert call.session.memory.n_dropped_units > n_units // 2
    assert {True, False} == set(listened[settled:])
    assert live_tensors() <= tensors + 50
    assert resident_kb() <= memory_kb + 50_000


def live_tensors() -> int:
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


def resident_kb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
