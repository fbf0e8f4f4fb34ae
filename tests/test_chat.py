"""Chat through UnifiedProcessor and ChatView, on the embedded checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.capabilities import CAPABILITIES, ProcessorMode, get_capabilities, supports_feature
from core.errors import InvalidFieldError, TooLargeError, WorkerBusyError
from core.factory import ProcessorFactory, create_processor
from core.processors import (
    ChatEvent,
    ChatView,
    Delta,
    Finished,
    Prefilled,
    RequestLimits,
    UnifiedProcessor,
)
from core.schemas import ChatRequest, ChatStreamRequest
from MiniCPMO45 import CheckpointError
from tests.wire_media import audio_data, encode, image_data, video_file

THINK_SKIPPED = "<think>\n\n</think>\n\n"
SPEECH_OPENING = "<|tts_bos|>"
DEFAULT_VOICE = Path(__file__).parents[1] / "resources" / "ref_audio" / "ref_en.wav"


@pytest.fixture(scope="module")
def progress() -> list[tuple[float, str]]:
    return []


@pytest.fixture(scope="module")
def processor(embedded_checkpoint: Path, progress: list[tuple[float, str]]) -> UnifiedProcessor:
    return UnifiedProcessor(
        str(embedded_checkpoint),
        device="cpu",
        ref_audio_path=str(DEFAULT_VOICE),
        limits=RequestLimits(audio_s=10),
        progress=lambda fraction, text: progress.append((fraction, text)),
    )


@pytest.fixture
def view(processor: UnifiedProcessor) -> ChatView:
    return processor.set_chat_mode()


def request(content: Any = "Hello", **fields: Any) -> ChatRequest:
    generation = {"max_new_tokens": 12, "do_sample": False} | fields.pop("generation", {})
    return ChatRequest.model_validate(
        {"messages": [{"role": "user", "content": content}], "generation": generation} | fields
    )


def socket_request(**fields: Any) -> ChatStreamRequest:
    return ChatStreamRequest.model_validate(request().model_dump(include={"messages"}) | fields)


def run(view: ChatView, chat_request: ChatRequest | ChatStreamRequest, **options: Any) -> Any:
    return list(view.run(view.read(chat_request), **options))


def finished(events: list[ChatEvent]) -> Finished:
    assert isinstance(events[-1], Finished)
    return events[-1]


def prompt_of(view: ChatView, chat_request: ChatRequest) -> str:
    chat_request.return_prompt = True
    prompt = view.chat(chat_request).prompt
    assert prompt is not None
    return prompt


def test_loading_reports_its_progress(
    processor: UnifiedProcessor, progress: list[tuple[float, str]]
) -> None:
    fractions = [fraction for fraction, _ in progress]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(text for _, text in progress)


def test_the_processor_knows_what_it_runs(processor: UnifiedProcessor) -> None:
    assert processor.embedded
    assert processor.attention_backends["audio"] == "sdpa"
    assert processor.gpu_memory_used_mb is None
    assert processor.model_name


def test_an_answer_comes_with_its_statistics(view: ChatView) -> None:
    response = view.chat(request())
    assert response.success and response.text and response.duration_ms
    assert response.audio_data is None and response.warning is None
    stats = response.token_stats
    assert stats is not None and stats["cached_tokens"] == 0
    assert stats["total_tokens"] == stats["input_tokens"] + stats["generated_tokens"]
    assert response.tokens_generated == stats["generated_tokens"] <= 12


def test_the_prompt_is_returned_on_request_only(view: ChatView) -> None:
    assert view.chat(request()).prompt is None
    assert "Hello" in prompt_of(view, request())


def test_greedy_answers_repeat_and_leave_nothing_behind(view: ChatView) -> None:
    first = view.chat(request())
    view.chat(request("Something quite different"))
    assert view.chat(request()).text == first.text


def test_a_seed_makes_sampling_repeatable(view: ChatView) -> None:
    sampled = request(generation={"do_sample": True, "temperature": 1.5, "top_p": 1.0, "top_k": 0})
    texts = [finished(run(view, sampled, seed=seed)).text for seed in (1, 1, 2, 3, 4)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 1


def test_temperature_zero_is_greedy(view: ChatView) -> None:
    cold = request(generation={"do_sample": True, "temperature": 0.0})
    assert view.chat(cold).text == view.chat(request()).text


def test_max_and_min_new_tokens_bound_the_answer(view: ChatView) -> None:
    assert view.chat(request(generation={"max_new_tokens": 3})).tokens_generated == 3
    long = request(generation={"max_new_tokens": 60, "min_new_tokens": 60})
    assert view.chat(long).tokens_generated == 60
    assert view.chat(request(), max_new_tokens=2).tokens_generated == 2


def test_deltas_add_up_to_the_answer_and_never_split_a_character(view: ChatView) -> None:
    events = run(view, socket_request(generation={"max_new_tokens": 120, "min_new_tokens": 120}))
    assert isinstance(events[0], Prefilled)
    deltas = [event for event in events if isinstance(event, Delta)]
    text = "".join(delta.text for delta in deltas)
    assert text == finished(events).text
    assert "\ufffd" not in text
    assert [delta.generated_tokens for delta in deltas] == sorted(
        delta.generated_tokens for delta in deltas
    )


def test_the_first_token_comes_before_the_last_is_computed(view: ChatView) -> None:
    steps = view.run(view.read(socket_request()))
    assert isinstance(next(steps), Prefilled)
    assert isinstance(next(steps), Delta)
    steps.close()


def test_an_abandoned_answer_gives_its_place_back(view: ChatView) -> None:
    steps = view.run(view.read(socket_request()))
    next(steps)
    with pytest.raises(WorkerBusyError):
        next(view.run(view.read(request())))
    steps.close()
    assert view.chat(request()).success


@pytest.mark.parametrize(
    "item",
    [
        {"type": "image", "data": image_data(120, 90)},
        {"type": "audio", "data": audio_data(1.5)},
        {"type": "video", "data": encode(video_file(2))},
    ],
    ids=["image", "audio", "video"],
)
def test_media_are_read_and_make_the_prompt_longer(view: ChatView, item: dict[str, Any]) -> None:
    plain = view.chat(request("What is this?"))
    response = view.chat(request([item, {"type": "text", "text": "What is this?"}]))
    assert response.success and response.token_stats and plain.token_stats
    assert response.token_stats["input_tokens"] > plain.token_stats["input_tokens"] + 10


def test_what_is_heard_and_seen_changes_the_answer(view: ChatView) -> None:
    def hidden_prompt_answer(item: dict[str, Any]) -> str:
        long = {"max_new_tokens": 30, "min_new_tokens": 30}
        return view.chat(request([item], generation=long)).text

    noise = np.random.default_rng(0).standard_normal(24000).astype("<f4") * 0.3
    answers = {
        hidden_prompt_answer({"type": "audio", "data": audio_data(1.5)}),
        hidden_prompt_answer({"type": "audio", "data": encode(noise.tobytes())}),
        hidden_prompt_answer({"type": "image", "data": image_data(120, 90)}),
    }
    assert len(answers) > 1


def test_the_published_openings_hold_where_nothing_is_said(view: ChatView) -> None:
    silent = prompt_of(view, request())
    assert silent.endswith(THINK_SKIPPED)
    heard = prompt_of(view, request([{"type": "audio", "data": audio_data(0.5)}]))
    assert heard.endswith(THINK_SKIPPED + SPEECH_OPENING)
    speaking = prompt_of(view, request(tts={"enabled": True}))
    assert speaking.endswith(THINK_SKIPPED + SPEECH_OPENING)


def test_explicit_openings_are_honoured(view: ChatView) -> None:
    assert not prompt_of(view, request(enable_thinking=True)).endswith(THINK_SKIPPED)
    assert prompt_of(view, request(use_tts_template=True)).endswith(SPEECH_OPENING)
    heard = [{"type": "audio", "data": audio_data(0.5)}]
    assert prompt_of(view, request(heard, use_tts_template=False)).endswith(THINK_SKIPPED)


@pytest.mark.parametrize(
    ("fields", "n_opening_tokens"),
    [
        ({}, 10),
        ({"use_tts_template": True}, 10),
        ({"use_tts_template": False}, 9),
        ({"enable_thinking": True}, 6),
        ({"enable_thinking": True, "use_tts_template": False}, 5),
        ({"streaming": False}, 9),
        ({"streaming": False, "tts": {"enabled": True}}, 10),
    ],
)
def test_a_socket_feeds_the_opening_after_the_messages(
    view: ChatView, fields: dict[str, Any], n_opening_tokens: int
) -> None:
    one_token = {"generation": {"max_new_tokens": 1, "do_sample": False}}
    events = run(view, socket_request(**one_token, **fields))
    fed = finished(events).kv_cache_length - events[0].input_tokens
    n_answer = finished(events).generated_tokens
    lowest = n_opening_tokens + max(0, n_answer - 1)
    assert lowest <= fed <= n_opening_tokens + n_answer


def test_image_ids_are_off_over_http_and_on_over_the_socket(view: ChatView) -> None:
    content = [{"type": "image", "data": image_data(120, 90)}]
    over_http = run(view, request(content))[0].input_tokens
    with_ids = run(view, request(content, image={"use_image_id": True}))[0].input_tokens
    assert with_ids > over_http
    message = {"messages": [{"role": "user", "content": content}]}
    over_socket = run(view, ChatStreamRequest.model_validate(message))[0].input_tokens
    without_ids = message | {"image": {"use_image_id": False}}
    without = run(view, ChatStreamRequest.model_validate(without_ids))[0].input_tokens
    assert over_socket - without == with_ids - over_http


def test_speech_is_not_pretended(view: ChatView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view.model, "vocoder", None)
    response = view.chat(request(tts={"enabled": True}))
    assert response.success and response.text and response.audio_data is None
    assert response.warning is not None and "needs assets/token2wav" in response.warning
    assert view.chat(request(tts={"enabled": True}), generate_audio=False).warning is None


def test_a_prompt_over_its_limit_names_the_limit(view: ChatView) -> None:
    too_long = request("word " * 400, generation={"max_inp_length": 100})
    with pytest.raises(TooLargeError, match="limit is 100") as caught:
        run(view, too_long)
    assert (caught.value.field, caught.value.limit) == ("messages", 100)
    assert view.chat(request()).success


def test_a_prompt_over_the_context_names_the_context(view: ChatView) -> None:
    capacity = view.model.language.cache.capacity
    too_long = request("word " * (2 * capacity), generation={"max_inp_length": 10**6})
    with pytest.raises(TooLargeError) as caught:
        run(view, too_long)
    assert (caught.value.field, caught.value.limit) == ("messages", capacity)
    assert view.chat(request()).success


def test_an_answer_ends_where_the_context_does(
    view: ChatView, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_prompt = run(view, request())[0].input_tokens
    monkeypatch.setattr(view.model.language.cache, "capacity", n_prompt + 40)
    long = request(generation={"max_new_tokens": 200, "min_new_tokens": 200})
    answer = finished(run(view, long))
    assert (answer.generated_tokens, answer.finish_reason) == (8, "length")


def test_bad_input_is_raised_with_its_field(view: ChatView) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        view.chat(request([{"type": "audio", "data": "AAA="}]))
    assert caught.value.field == "messages[0].content[0].data"


def test_a_conversation_can_be_read_first_and_answered_later(view: ChatView) -> None:
    prompt = view.prefill("a", [{"role": "user", "content": "Hello"}])
    assert "Hello" in prompt
    text = view.generate("a", max_new_tokens=20, do_sample=False)
    view.prefill("b", [{"role": "user", "content": "Hello"}])
    chunks = list(view.streaming_generate("b", max_new_tokens=20, do_sample=False))
    assert text and [chunk.chunk_index for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.is_final for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_an_answer_needs_something_read(view: ChatView) -> None:
    with pytest.raises(InvalidFieldError, match="prefill"):
        view.generate("never read")


def test_reading_again_replaces_what_was_read(view: ChatView) -> None:
    for session_id in ("a", "b"):
        view.prefill(session_id, [{"role": "user", "content": "Hello"}])
    with pytest.raises(InvalidFieldError):
        view.generate("a")
    view.close()
    assert view.chat(request()).success


def test_two_slots_answer_two_conversations_in_turns(embedded_checkpoint: Path) -> None:
    view = create_processor(str(embedded_checkpoint), device="cpu", n_slots=2).set_chat_mode()
    alone = [finished(run(view, request(text))).text for text in ("Hello", "Tell me a story")]
    runs = [view.run(view.read(request(text))) for text in ("Hello", "Tell me a story")]
    answers: list[str] = ["", ""]
    while any(live := [(index, steps) for index, steps in enumerate(runs) if not answers[index]]):
        for index, steps in live:
            event = next(steps)
            if isinstance(event, Finished):
                answers[index] = event.text
    assert answers == alone


def test_the_factory_loads_a_checkpoint_once(embedded_checkpoint: Path) -> None:
    arguments = {"model_path": str(embedded_checkpoint), "device": "cpu"}
    first = ProcessorFactory.get_processor(**arguments)
    assert ProcessorFactory.get_processor(**arguments) is first
    assert ProcessorFactory.create(**arguments) is not first


def test_capabilities_tell_what_this_build_can_do() -> None:
    assert get_capabilities("chat").image_input
    assert supports_feature(ProcessorMode.CHAT, "streamed_output")
    assert not supports_feature(ProcessorMode.CHAT, "telepathy")
    assert supports_feature(ProcessorMode.DUPLEX, "audio_input")
    assert set(CAPABILITIES) == set(UnifiedProcessor.modes)


def test_images_reach_the_model_as_rgb(view: ChatView) -> None:
    task = view.read(request([{"type": "image", "data": image_data()}]))
    (item,) = task.messages[0].content
    assert isinstance(item, Image.Image) and item.mode == "RGB"


def test_another_vocoder_is_refused_by_the_name_of_its_setting() -> None:
    with pytest.raises(CheckpointError, match=r'audio\.chat_vocoder to "token2wav"'):
        UnifiedProcessor("anything", chat_vocoder="cosyvoice2")
