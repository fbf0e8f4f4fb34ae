from __future__ import annotations

from itertools import zip_longest

import pytest
import torch
from PIL import Image

from MiniCPMO45 import (
    Answer,
    ChatMessage,
    ChatSession,
    GenerationOptions,
    NoFreeSlotError,
    PromptError,
    PromptOptions,
    PromptTooLongError,
)
from MiniCPMO45.model import fill
from MiniCPMO45.sessions import generation

HELLO = [ChatMessage("user", "Hello there")]
KV = PromptOptions(style="kv")


def answer(model, options: GenerationOptions, prompt=HELLO, prompt_options=None, seed=0):
    with ChatSession(model, seed=seed) as session:
        session.prefill(prompt, prompt_options)
        deltas = list(session.generate(options))
        return said(session), deltas


def said(session: ChatSession) -> Answer:
    assert session.answer is not None
    return session.answer


def never_stop(monkeypatch, model):
    """Bar the terminators so that only the limit ends an answer."""
    original = generation.draw

    def draw(scores, options, source):
        barred = {*model.tokenizer.turn_terminator_ids, *model.tokenizer.chat_terminator_ids}
        scores[list(barred)] = -torch.inf
        return original(scores, options, source)

    monkeypatch.setattr(generation, "draw", draw)


def always_stop(monkeypatch, terminator: int):
    monkeypatch.setattr(generation, "draw", lambda *_: torch.tensor(terminator))


def test_a_seed_makes_sampling_repeatable(model):
    options = GenerationOptions(max_new_tokens=16)
    first, second, other = (answer(model, options, seed=seed)[0] for seed in (1, 1, 2))
    assert first == second
    assert first.token_ids != other.token_ids


def test_deltas_join_to_the_decoded_answer(model):
    result, deltas = answer(model, GenerationOptions(do_sample=False, max_new_tokens=40))
    joined = "".join(delta.text for delta in deltas)
    assert joined == model.tokenizer.decode(result.token_ids)
    assert [delta.finished for delta in deltas] == [False] * (len(deltas) - 1) + [True]


def test_the_limit_bounds_the_plain_sampler_exactly(model, monkeypatch):
    never_stop(monkeypatch, model)
    result, _ = answer(model, GenerationOptions(max_new_tokens=7))
    assert (result.n_tokens, result.finish_reason) == (7, "length")


@pytest.mark.parametrize(("asked", "given"), [(1, 10), (10, 10), (25, 30)])
def test_the_chunked_sampler_rounds_its_limit_up_to_tens(model, monkeypatch, asked, given):
    never_stop(monkeypatch, model)
    options = GenerationOptions(streaming=True, max_new_tokens=asked)
    with ChatSession(model, seed=0) as session:
        prompt = session.prefill(HELLO, KV)
        list(session.generate(options))
        assert said(session).n_tokens == given
        # exactly the opening (10 tokens of this vocabulary or more) and the answer were fed
        opening = session.kv_cache_length - prompt.n_tokens - given
        text = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n<|tts_bos|>"
        assert opening == len(model.tokenizer.encode(text))


def test_an_answer_that_stops_at_once_is_empty_and_clean(model, monkeypatch):
    always_stop(monkeypatch, model.tokenizer.turn_terminator_ids[0])
    options = GenerationOptions(streaming=True)
    result, deltas = answer(model, options, prompt_options=KV)
    assert (result.text, result.token_ids, result.finish_reason) == ("", [], "stop")
    assert [delta.finished for delta in deltas] == [True]


def test_dropping_the_iterator_stops_decoding(model):
    with ChatSession(model, seed=0) as session:
        prompt = session.prefill(HELLO)
        steps = session.generate(GenerationOptions(max_new_tokens=100, min_new_tokens=100))
        next(steps)
        next(steps)
        length = session.kv_cache_length
        steps.close()
        assert session.kv_cache_length == length <= prompt.n_tokens + 2
        assert session.answer is None


def test_a_penalty_on_ending_is_applied_to_both_samplers(model, monkeypatch):
    seen = []
    original = generation.penalise

    def spy(scores, ids, factor):
        seen.append((ids.tolist(), factor))
        return original(scores, ids, factor)

    monkeypatch.setattr(generation, "penalise", spy)
    options = GenerationOptions(max_new_tokens=1, length_penalty=1.3)
    answer(model, options)
    assert (model.tokenizer.chat_terminator_ids, 1.3) in seen
    answer(model, GenerationOptions(streaming=True, length_penalty=1.3), prompt_options=KV)
    assert (model.tokenizer.turn_terminator_ids, 1.3) in seen


def test_the_chunked_penalty_sees_this_chunk_and_a_window_before_it(model, monkeypatch):
    never_stop(monkeypatch, model)
    monkeypatch.setattr(generation, "PENALTY_WINDOW", 4)
    counts = []
    original = generation.penalise

    def spy(scores, ids, factor):
        if factor == 1.02:
            counts.append(ids.numel())
        return original(scores, ids, factor)

    monkeypatch.setattr(generation, "penalise", spy)
    options = GenerationOptions(streaming=True, max_new_tokens=20)
    answer(model, options, prompt_options=KV)
    # 11 choices in the first chunk; each later chunk starts with the 4 before it
    assert counts == [*range(11), *range(4, 14)]


def test_a_whole_kv_answer_starts_with_the_best_scored_token(model):
    with ChatSession(model, seed=0) as session:
        session.prefill(HELLO, KV)
        list(session.generate(GenerationOptions(max_new_tokens=5)))
        first = said(session).token_ids[0]
    with ChatSession(model, seed=9) as session:
        session.prefill(HELLO, KV)
        list(session.generate(GenerationOptions(max_new_tokens=5)))
        assert said(session).token_ids[0] == first


def test_a_new_prefill_forgets_the_old_conversation(model):
    greedy = GenerationOptions(do_sample=False, max_new_tokens=12)
    alone, _ = answer(model, greedy)
    with ChatSession(model) as session:
        session.prefill([ChatMessage("user", "Something else entirely")])
        list(session.generate(greedy))
        session.prefill(HELLO)
        list(session.generate(greedy))
        assert session.answer == alone


def test_two_conversations_answer_as_they_do_alone(model):
    greedy = GenerationOptions(do_sample=False, max_new_tokens=12)
    other = [ChatMessage("user", [Image.new("RGB", (60, 40), "red"), "What colour?"])]
    alone = [answer(model, greedy, prompt)[0] for prompt in (HELLO, other)]
    with ChatSession(model) as first, ChatSession(model) as second:
        first.prefill(HELLO)
        second.prefill(other)
        for _ in zip_longest(first.generate(greedy), second.generate(greedy)):
            pass
        assert [first.answer, second.answer] == alone


def test_closing_a_session_frees_its_slot_even_after_an_error(model):
    with pytest.raises(PromptTooLongError), ChatSession(model) as session:
        session.prefill([ChatMessage("user", "word " * 600)])
    with ChatSession(model), ChatSession(model), pytest.raises(NoFreeSlotError):
        ChatSession(model)


def test_a_prompt_over_the_cache_is_refused_before_anything_is_read(model):
    with ChatSession(model) as session:
        with pytest.raises(PromptTooLongError) as caught:
            session.prefill([ChatMessage("user", "a b " * 400)])
        assert (caught.value.limit, session.kv_cache_length) == (512, 0)


def test_generate_needs_a_prompt_and_the_chunked_sampler_a_kv_prompt(model):
    with ChatSession(model) as session:
        with pytest.raises(PromptError, match="prefill"):
            next(session.generate())
        session.prefill(HELLO)
        with pytest.raises(PromptError, match="style kv"):
            next(session.generate(GenerationOptions(streaming=True)))


def test_only_the_exact_end_marker_is_taken_off_an_answer(model, monkeypatch):
    ids = iter(
        [*model.tokenizer.encode("potatoes<|tts_eos|>"), *model.tokenizer.chat_terminator_ids]
    )
    monkeypatch.setattr(generation, "draw", lambda *_: torch.tensor(next(ids)))
    result, _ = answer(model, GenerationOptions())
    assert result.text == "potatoes"


def test_rows_fill_spans_in_order_and_a_missing_row_repeats_the_last():
    embeddings = torch.zeros(6, 1)
    fill(embeddings, [(1, 3), (4, 6)], torch.tensor([[1.0], [2.0], [3.0]]))
    assert embeddings[:, 0].tolist() == [0, 1, 2, 0, 3, 3]


def test_spans_without_any_rows_are_refused():
    with pytest.raises(PromptError, match="placeholder"):
        fill(torch.zeros(3, 1), [(0, 1)], torch.zeros(0, 1))


class CountingVocoder:
    """Gives 960 zeros for each code it renders."""

    def push(self, codes, *, last):
        return torch.zeros(960 * (len(codes) if last else len(codes) - 3))


SPOKEN = PromptOptions(style="kv", use_tts_template=True)


def test_a_spoken_answer_has_all_of_its_text_and_some_sound(model):
    options = GenerationOptions(streaming=True, do_sample=False, max_new_tokens=20)
    with ChatSession(model, seed=0) as session:
        session.prefill(HELLO, SPOKEN)
        parts = list(session.speak_while_writing(CountingVocoder(), options))
        written = model.tokenizer.decode(said(session).token_ids)
        assert "".join(part.text for part in parts) == written
        assert sum(part.waveform.numel() for part in parts) > 0


def test_words_that_cannot_be_spoken_are_barred_only_when_speaking(model, monkeypatch):
    barred = []
    original = generation.decode_chunked

    def spy(*arguments, barred_ids=(), **rest):
        barred.append(list(barred_ids))
        return original(*arguments, barred_ids=barred_ids, **rest)

    monkeypatch.setattr("MiniCPMO45.sessions.chat.decode_chunked", spy)
    options = GenerationOptions(streaming=True, max_new_tokens=10)
    with ChatSession(model, seed=0) as session:
        session.prefill(HELLO, SPOKEN)
        list(session.speak_while_writing(CountingVocoder(), options))
        session.prefill(HELLO, SPOKEN)
        list(session.generate(options))
    assert barred == [model.tokenizer.speech_suppressed_ids, []]


def test_a_finished_answer_is_spoken_in_steps_that_can_be_left(model, monkeypatch):
    never_stop(monkeypatch, model)
    with ChatSession(model, seed=0) as session:
        session.prefill(HELLO, PromptOptions(use_tts_template=True))
        list(session.generate(GenerationOptions(max_new_tokens=5)))
        pieces = session.speak(CountingVocoder())
        assert next(pieces).numel() == 0
        pieces.close()
    with ChatSession(model, seed=0) as session:  # the slots came back
        session.prefill(HELLO)


def test_an_answer_that_was_not_generated_cannot_be_spoken(model):
    with ChatSession(model) as session:
        session.prefill(HELLO)
        with pytest.raises(PromptError, match="generated"):
            next(session.speak(CountingVocoder()))
