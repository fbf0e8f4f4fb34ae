from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from MiniCPMO45 import ChatMessage, GenerationOptions, PromptError, StreamingSession
from MiniCPMO45.sessions import generation
from MiniCPMO45.sessions.streaming import PieceOptions
from MiniCPMO45.sessions.window import ContextWindow
from tests.golden.inputs import wave

GREEDY = GenerationOptions(streaming=True, do_sample=False, max_new_tokens=10)


class SilentVocoder:
    """Gives 960 zeros for each code it renders."""

    def push(self, codes: Sequence[int], *, last: bool) -> Tensor:
        return torch.zeros(960 * (len(codes) if last else len(codes) - 3))


def say(session: StreamingSession, role: Any, *content) -> str:
    return session.prefill(ChatMessage(role, list(content))).text


def test_a_later_system_or_assistant_message_gets_its_header(model):
    with StreamingSession(model) as session:
        assert say(session, "system", "Be kind.") == "<|im_start|>system\nBe kind.<|im_end|>\n"
        assert say(session, "user", "Hi") == "<|im_start|>user\nHi"
        assert say(session, "user", " you") == " you"
        given = say(session, "assistant", "Hello")
        assert given == "<|im_end|>\n<|im_start|>assistant\nHello"
        assert say(session, "user", "Next") == "<|im_end|>\n<|im_start|>user\nNext"
        changed = say(session, "system", "Be brief.")
        assert changed == "<|im_end|>\n<|im_start|>system\nBe brief.<|im_end|>\n"
        assert say(session, "user", "Go") == "<|im_start|>user\nGo"


def test_a_turn_after_an_answer_closes_it_first(model):
    with StreamingSession(model, seed=0) as session:
        say(session, "user", "Hi")
        list(session.generate(GREEDY))
        assert say(session, "user", "More").startswith("<|tts_eos|><|im_end|>\n<|im_start|>user\n")


def test_a_stopped_answer_keeps_what_was_fed_and_the_conversation_goes_on(model):
    with StreamingSession(model, seed=0) as session:
        say(session, "user", "Hi")
        before = session.kv_cache_length
        steps = session.generate(GREEDY)
        next(steps)
        steps.close()
        assert session.kv_cache_length == before + len(opening_ids(model)) + 1
        assert say(session, "user", "More").startswith("<|tts_eos|>")


def test_an_empty_answer_leaves_a_turn_that_can_go_on(model, monkeypatch):
    terminator = model.tokenizer.turn_terminator_ids[0]
    original = generation.draw
    monkeypatch.setattr(
        generation, "draw", lambda scores, *rest: 0 * original(scores, *rest) + terminator
    )
    with StreamingSession(model, seed=0) as session:
        say(session, "user", "Hi")
        deltas = list(session.generate(GREEDY))
        assert [(delta.text, delta.finished) for delta in deltas] == [("", True)]
        assert say(session, "user", "More").startswith("<|tts_eos|>")


def test_the_first_audio_of_a_turn_is_padded_to_a_whole_piece(model):
    placeholder_tokens = 10 + 2  # one second between its tags
    with StreamingSession(model) as session:
        session.prefill(ChatMessage("user", [wave(1, 0.3)]), PieceOptions(is_last_chunk=True))
        header = len(model.tokenizer.encode("<|im_start|>user\n"))
        assert session.kv_cache_length == header + placeholder_tokens


def test_two_clips_in_one_live_piece_are_refused_before_anything_is_read(model):
    with StreamingSession(model) as session:
        with pytest.raises(PromptError, match="one audio"):
            say(session, "user", wave(1, 1.1), wave(2, 1.1))
        assert session.kv_cache_length == 0


def test_the_first_user_audio_stays_in_the_encoder_cache(model):
    """The published model forgets it; the second piece then sounds like a first one."""
    rows = {}
    for compat in (False, True):
        with StreamingSession(model, compat=compat) as session:
            session.prefill(ChatMessage("user", [wave(1, 1.035)]))
            session.prefill(ChatMessage("user", [wave(2, 1.0)]))
            keys, _ = session.slot.layer(0)
            rows[compat] = keys[-5:].clone()
    assert not np.allclose(rows[False], rows[True], atol=1e-3)


def opening_ids(model) -> list[int]:
    text = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n<|tts_bos|>"
    return model.tokenizer.encode(text)


def conversation(session: StreamingSession, n_turns: int) -> None:
    say(session, "system", "Be kind.")
    for number in range(n_turns):
        say(session, "user", f"Question number {number}, please.")
        list(session.generate(GREEDY))


def test_the_oldest_turns_are_forgotten_and_the_system_prompt_stays(model):
    window = ContextWindow(high=120, low=80)
    with StreamingSession(model, seed=0, window=window) as session:
        conversation(session, 8)
        say(session, "user", "And now?")
        assert session.kv_cache_length <= window.high
        kept = session.slot.layer(0)[0][:13].clone()  # "Be kind." with its frame
        with StreamingSession(model, seed=0) as fresh:
            say(fresh, "system", "Be kind.")
            np.testing.assert_allclose(kept, fresh.slot.layer(0)[0], atol=1e-6)


def test_after_forgetting_the_first_layer_looks_as_if_the_turns_had_never_been(model):
    window = ContextWindow(high=60, low=50)
    with StreamingSession(model, seed=0, window=window) as session:
        say(session, "system", "Be kind.")
        say(session, "user", "A question to forget, with many words in it")
        list(session.generate(GREEDY))
        say(session, "user", "Short")
        with StreamingSession(model, seed=0) as fresh:
            say(fresh, "system", "Be kind.")
            say(fresh, "user", "Short")
            assert session.kv_cache_length == fresh.kv_cache_length
            for ours, theirs in zip(session.slot.layer(0), fresh.slot.layer(0), strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_single_long_turn_is_never_forgotten(model):
    with StreamingSession(model, window=ContextWindow(high=20, low=10)) as session:
        say(session, "user", "many words " * 20)
        length = session.kv_cache_length
        assert length > 20
        say(session, "user", "more")
        assert session.kv_cache_length > length


def test_restoring_continues_as_if_the_answer_had_never_been_given(model):
    answers = []
    for detour in (False, True):
        with StreamingSession(model, seed=3) as session:
            session.prefill(ChatMessage("user", [wave(1, 1.035)]))
            if detour:
                snapshot = session.snapshot()
                list(session.generate(GREEDY))
                assert session.restore(snapshot)
            session.prefill(ChatMessage("user", [wave(2, 1.0)]))
            options = GenerationOptions(streaming=True, max_new_tokens=10)
            answers.append([delta.text for delta in session.generate(options)])
    assert answers[0] == answers[1]


def test_an_abandoned_answer_ends_when_its_conversation_is_restored(model):
    with StreamingSession(model, seed=0) as session:
        say(session, "user", "Hi")
        snapshot = session.snapshot()
        steps = session.generate(GREEDY)
        next(steps)
        session.restore(snapshot)
        assert list(steps) == []
        assert session.kv_cache_length == snapshot.length


def test_a_snapshot_is_void_once_turns_were_forgotten(model):
    with StreamingSession(model, seed=0, window=ContextWindow(high=60, low=50)) as session:
        conversation(session, 1)
        snapshot = session.snapshot()
        conversation(session, 3)
        before = session.kv_cache_length
        assert not session.restore(snapshot)
        assert session.kv_cache_length == before


def test_an_answer_is_cut_after_some_of_its_tokens(model):
    with StreamingSession(model, seed=0) as session:
        say(session, "user", "Hi")
        start = session.kv_cache_length + len(opening_ids(model))
        list(session.generate(GREEDY))
        assert session.kv_cache_length > start + 2
        assert session.cut_answer(2)
        assert session.kv_cache_length == start + 2
        say(session, "user", "More")
        assert not session.cut_answer(1)


def test_a_spoken_answer_left_early_keeps_only_what_had_sound(model):
    with StreamingSession(model, seed=0) as session:
        say(session, "user", "Hi")
        before = session.kv_cache_length
        parts = session.speak(SilentVocoder(), GREEDY)
        assert not any(next(parts).text for _ in range(3))
        assert session.kv_cache_length > before + len(opening_ids(model))
        parts.close()
        assert session.kv_cache_length == before + len(opening_ids(model))
