"""Streaming through UnifiedProcessor and StreamingView, on the embedded checkpoint."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import InvalidFieldError, TooLargeError, WorkerBusyError
from core.processors import (
    AnswerTask,
    Conversation,
    Finished,
    Prefilled,
    PrefillTask,
    RequestLimits,
    StreamingView,
    UnifiedProcessor,
)
from core.schemas import (
    ChatRequest,
    StreamingGenerateMessage,
    StreamingPrefillMessage,
    StreamingRequest,
)
from MiniCPMO45 import GenerationOptions
from MiniCPMO45.sessions.window import ContextWindow
from tests.wire_media import audio_data, encode, image_data, video_file

GREEDY = AnswerTask(GenerationOptions(streaming=True, max_new_tokens=20, do_sample=False))
SYSTEM = {"role": "system", "content": "Answer briefly."}
VOICE = Path(__file__).parents[1] / "resources" / "ref_audio" / "ref_en.wav"


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.fixture(scope="module")
def processor(embedded_checkpoint: Path) -> UnifiedProcessor:
    return UnifiedProcessor(
        str(embedded_checkpoint),
        device="cpu",
        ref_audio_path=str(VOICE),
        limits=RequestLimits(audio_s=60),
    )


@pytest.fixture
def view(processor: UnifiedProcessor) -> Iterator[StreamingView]:
    view = processor.set_streaming_mode()
    yield view
    view.reset_session()


@pytest.fixture
def conversation(view: StreamingView) -> Iterator[Conversation]:
    conversation = view.open(seed=0)
    yield conversation
    conversation.close()


def read(view: StreamingView, *messages: dict[str, Any], **fields: Any) -> PrefillTask:
    request = StreamingPrefillMessage.model_validate({"messages": messages} | fields)
    return view.read_prefill(request, is_continuation=True)


def prefill(
    view: StreamingView, conversation: Conversation, *messages: dict[str, Any], **fields: Any
) -> Prefilled:
    return list(conversation.prefill(read(view, *messages, **fields)))[-1]


def answer(conversation: Conversation, task: AnswerTask = GREEDY) -> Finished:
    *deltas, finished = conversation.answer(task)
    assert isinstance(finished, Finished)
    assert "".join(delta.text for delta in deltas) == finished.text  # pyright: ignore
    return finished


# -- turns -----------------------------------------------------------------------------------------


def test_the_second_turn_reads_only_the_new_message(
    view: StreamingView, conversation: Conversation
) -> None:
    first = prefill(view, conversation, SYSTEM, user("Name a river."))
    first_answer = answer(conversation)
    second = prefill(view, conversation, user("And a mountain?"))
    assert first.cached_tokens == 0
    assert second.cached_tokens == first_answer.kv_cache_length
    assert second.input_tokens < first.input_tokens
    assert second.prompt.endswith("<|im_start|>user\nAnd a mountain?")
    assert "river" not in second.prompt
    n_cached = second.cached_tokens + second.input_tokens
    assert conversation.kv_cache_length == n_cached == view.kv_cache_length


def test_messages_are_read_one_by_one(view: StreamingView, conversation: Conversation) -> None:
    steps = list(conversation.prefill(read(view, SYSTEM, user("One"), user(" and two"))))
    assert [step.prompt for step in steps] == [
        "<|im_start|>system\nAnswer briefly.<|im_end|>\n",
        "<|im_start|>user\nOne",
        " and two",
    ]
    assert [step.input_tokens for step in steps] == sorted({step.input_tokens for step in steps})


def test_greedy_answers_do_not_depend_on_what_was_said_elsewhere(view: StreamingView) -> None:
    texts = []
    for elsewhere in ("", "A secret of somebody else."):
        if elsewhere:
            other = view.open()
            prefill(view, other, user(elsewhere))
            answer(other)
            other.close()
        conversation = view.open()
        prefill(view, conversation, user("Hello"))
        texts.append(answer(conversation).text)
        conversation.close()
    assert texts[0] == texts[1]


def test_an_answer_left_early_stays_part_of_the_conversation(
    view: StreamingView, conversation: Conversation
) -> None:
    read_before = prefill(view, conversation, user("Hello"))
    steps = conversation.answer(GREEDY)
    for _ in range(3):
        next(steps)
    steps.close()
    second = prefill(view, conversation, user("Go on."))
    n_opening = second.cached_tokens - read_before.input_tokens - 3
    assert n_opening == 10
    assert answer(conversation).text


def test_the_oldest_turns_are_forgotten_beyond_the_window(view: StreamingView) -> None:
    window = ContextWindow(high=150, low=100)
    conversation = Conversation(view.model, view.voices, window=window)
    try:
        cached = []
        for number in range(8):
            read_now = prefill(view, conversation, user(f"Question number {number}, please."))
            assert conversation.kv_cache_length <= window.high
            cached.append(read_now.cached_tokens)
            answer(conversation)
    finally:
        conversation.close()
    assert cached != sorted(cached)


def test_the_place_in_the_cache_comes_free_with_the_end(
    processor: UnifiedProcessor, view: StreamingView
) -> None:
    conversation = view.open()
    prefill(view, conversation, user("Hello"))
    other = view.open()
    with pytest.raises(WorkerBusyError):
        prefill(view, other, user("Hello"))
    conversation.close()
    assert view.kv_cache_length == 0
    assert prefill(view, other, user("Hello")).cached_tokens == 0
    other.close()
    hello = ChatRequest.model_validate({"messages": [user("Hello")]})
    assert processor.set_chat_mode().chat(hello).success


# -- media -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "at_least"),
    [
        ([{"type": "image", "data": image_data(320, 200)}], 64),
        ([{"type": "audio", "data": audio_data(0.5)}], 5),
        ([{"type": "audio", "data": audio_data(1.5)}], 15),
        ([{"type": "audio", "data": audio_data(31)}], 310),
        ([{"type": "audio", "data": audio_data(0.5)}] * 2, 10),
        ([{"type": "video", "data": encode(video_file(2.0))}], 128 + 20),
    ],
    ids=["image", "short audio", "audio", "audio over 30 s", "two audios", "video"],
)
def test_media_of_whole_messages_are_read(
    view: StreamingView, conversation: Conversation, items: list[dict[str, Any]], at_least: int
) -> None:
    text_only = prefill(view, conversation, user([{"type": "text", "text": "What is this?"}]))
    conversation.close()
    content = [*items, {"type": "text", "text": "What is this?"}]
    with_media = prefill(view, conversation, user(content))
    assert with_media.input_tokens >= text_only.input_tokens + at_least
    assert answer(conversation).kv_cache_length > with_media.input_tokens


def test_live_audio_goes_on_from_chunk_to_chunk(
    view: StreamingView, conversation: Conversation
) -> None:
    def chunk(seconds: float, **fields: Any) -> Prefilled:
        content = [{"type": "audio", "data": audio_data(seconds)}]
        return prefill(view, conversation, user(content), **fields)

    first = chunk(1.035, is_last_chunk=False)
    second = chunk(1.0, is_last_chunk=False)
    last = chunk(0.6, is_last_chunk=True)
    assert first.prompt.startswith("<|im_start|>user\n")
    assert not second.prompt.startswith("<|im_start|>")
    assert second.input_tokens == 12
    assert 6 <= last.input_tokens <= 10
    assert answer(conversation).generated_tokens > 0


# -- what is read ----------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_mode(view: StreamingView) -> None:
    request = StreamingPrefillMessage.model_validate({"messages": [user("Hello")]})
    task = view.read_prefill(request, is_continuation=False)
    assert (task.omni_mode, task.max_slice_nums, task.is_live_chunk) == (True, 1, False)
    generation = view.read_answer(request, StreamingGenerateMessage()).generation
    assert (generation.max_new_tokens, generation.length_penalty) == (256, 1.1)
    assert generation.streaming and generation.do_sample


def test_only_a_continuation_begins_with_the_assistant(view: StreamingView) -> None:
    request = StreamingPrefillMessage.model_validate(
        {"messages": [{"role": "assistant", "content": "Hello"}]}
    )
    assert view.read_prefill(request, is_continuation=True).messages[0].role == "assistant"
    with pytest.raises(InvalidFieldError, match="role"):
        view.read_prefill(request, is_continuation=False)


def test_an_answer_needs_something_read(view: StreamingView) -> None:
    with pytest.raises(InvalidFieldError, match="prefill"):
        list(view.open().answer(GREEDY))


def test_a_conversation_that_fills_the_cache_names_the_limit(view: StreamingView) -> None:
    conversation = Conversation(view.model, view.voices, window=ContextWindow(high=0))
    capacity = view.model.language.cache.capacity
    with pytest.raises(TooLargeError) as caught:
        prefill(view, conversation, user("word " * (2 * capacity)))
    assert caught.value.limit == capacity
    conversation.close()


# -- speech ----------------------------------------------------------------------------------------


class ToneStream:
    def push(self, codes: Sequence[int], *, last: bool) -> torch.Tensor:
        return torch.full((960 * (len(codes) if last else len(codes) - 3),), 0.5)


class ToneVocoder:
    def prepare_voice(self, samples: np.ndarray, sample_rate: int) -> object:
        return object()

    def stream(self, voice: object) -> ToneStream:
        return ToneStream()


def spoken(view: StreamingView, **generate: Any) -> AnswerTask:
    prefill_message = StreamingPrefillMessage.model_validate({"messages": [user("Hello")]})
    generate_message = StreamingGenerateMessage.model_validate({"max_new_tokens": 20} | generate)
    return view.read_answer(prefill_message, generate_message)


def test_without_a_vocoder_the_answer_is_text_and_says_so(
    view: StreamingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view.model, "vocoder", None)
    task = spoken(view)
    assert task.speech is None
    assert task.warning is not None and "text only" in task.warning
    assert spoken(view, generate_audio=False).warning is None


def test_an_answer_is_spoken_as_it_is_written_in_every_turn(
    view: StreamingView, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view.model, "vocoder", ToneVocoder())
    for _ in range(2):
        prefill(view, conversation, user("Hello"))
        *deltas, finished = conversation.answer(spoken(view))
        assert isinstance(finished, Finished) and finished.text
        assert any(delta.waveform is not None for delta in deltas)  # pyright: ignore
        assert "".join(delta.text for delta in deltas) == finished.text  # pyright: ignore


# -- calls in the same process ---------------------------------------------------------------------


def request(content: str = "Hello", session_id: str = "a", **fields: Any) -> StreamingRequest:
    return StreamingRequest.model_validate(
        {
            "session_id": session_id,
            "messages": [user(content)],
            "generation": {"max_new_tokens": 10, "do_sample": False},
            "streaming": {"generate_audio": False},
        }
        | fields
    )


def test_a_turn_in_two_calls_comes_in_chunks(view: StreamingView) -> None:
    assert view.prefill(request()).endswith("Hello")
    chunks = list(view.generate("a", generate_audio=False, max_new_tokens=10, do_sample=False))
    assert [chunk.chunk_index for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.is_final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    before = view.kv_cache_length
    assert "Hello" not in view.prefill(request("Go on."))
    assert view.kv_cache_length > before


def test_a_turn_in_one_call_is_the_same(view: StreamingView) -> None:
    whole = view.complete_turn(request(session_id="b"))
    view.prefill(request())
    chunks = list(view.generate("a", generate_audio=False, max_new_tokens=10, do_sample=False))
    assert whole.success and whole.full_text == "".join(c.text_delta or "" for c in chunks)
    assert whole.total_chunks == len(chunks)


def test_a_spoken_turn_in_one_call_brings_its_sound(
    view: StreamingView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view.model, "vocoder", ToneVocoder())
    view.init_ref_audio(str(VOICE))
    response = view.complete_turn(request(streaming={"generate_audio": True}))
    assert response.audio_data is not None and response.audio_duration_ms is not None
    n_samples = len(base64.b64decode(response.audio_data)) // 4
    assert response.audio_duration_ms == pytest.approx(n_samples / 24)


def test_another_session_id_begins_anew(view: StreamingView) -> None:
    view.prefill(request())
    view.prefill(request(session_id="b"))
    with pytest.raises(InvalidFieldError):
        list(view.generate("a"))


def test_an_answer_can_be_taken_back(view: StreamingView) -> None:
    view.prefill(request("Wait"))
    before = view.kv_cache_length
    options = {"generate_audio": False, "max_new_tokens": 10, "do_sample": False}
    assert not view.can_rollback("a")
    list(view.generate("a", enable_speculative_snapshot=True, **options))
    assert view.can_rollback("a")
    assert view.rollback("a").restored_position == before
    assert not view.rollback("a").success
    assert view.prefill(request(" a moment")) == " a moment"


def test_an_answer_that_is_kept_cannot_be_taken_back(view: StreamingView) -> None:
    view.prefill(request())
    list(view.generate("a", generate_audio=False, enable_speculative_snapshot=True))
    view.clear_rollback_point("a")
    assert not view.can_rollback("a")


def test_a_failure_comes_back_as_an_error(view: StreamingView) -> None:
    response = view.complete_turn(request("word " * 20000))
    assert not response.success and response.error is not None
    view.reset_session()
    assert view.complete_turn(request()).success
