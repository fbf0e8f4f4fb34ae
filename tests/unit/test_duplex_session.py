from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from MiniCPMO45 import MediaError, PromptTooLongError
from MiniCPMO45.errors import SessionStateError
from MiniCPMO45.sessions import duplex_decision
from MiniCPMO45.sessions.duplex import DuplexSession, DuplexState
from MiniCPMO45.sessions.duplex_options import DuplexOptions, DuplexWindow
from MiniCPMO45.sessions.duplex_voice import DuplexVoice
from tests.golden.inputs import picture, wave

PREFIX = "<|im_start|>system\nStreaming Omni Conversation.\n<|audio_start|>"
SUFFIX = "<|audio_end|><|im_end|>"
SECOND = wave(2, 1.0)


class CountingVocoder:
    """Gives 960 zeros for each code it renders."""

    def push(self, codes: Sequence[int], *, last: bool) -> Tensor:
        return torch.zeros(960 * (len(codes) if last else len(codes) - 3))


def call(model, options: DuplexOptions | None = None, **arguments) -> DuplexSession:
    options = options or DuplexOptions(force_listen_count=0)
    return DuplexSession(model, options, make_vocoder=CountingVocoder, seed=0, **arguments)


def voice_of(session: DuplexSession) -> DuplexVoice:
    assert session.voice is not None
    return session.voice


def script(monkeypatch, model, words: list[str]) -> None:
    """Make the decisions of the next units, one token per choice."""
    choices = iter(model.tokenizer.ids_of(words))
    monkeypatch.setattr(duplex_decision.Decider, "choose", lambda self, scores: next(choices))


def unit(session: DuplexSession, audio=SECOND, **arguments):
    session.prefill(audio)
    result = session.generate(**arguments)
    session.finalize()
    return result


def test_a_turn_end_before_listen_ends_the_turn_and_is_spoken(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|turn_eos|>", "<|listen|>"])
        result = unit(session)
        assert (result.is_listen, result.text, result.end_of_turn) == (False, "The", True)
        assert result.waveform is not None
        assert voice_of(session).decoder.position == 0
        assert not session.turn_open


def test_a_listen_in_an_open_turn_keeps_speaking_or_closes_it_as_asked(model, monkeypatch):
    words = ["<|speak|>", "The", "<|chunk_eos|>", "<|listen|>", "<|chunk_eos|>"]
    for options, open_after in (
        (DuplexOptions(force_listen_count=0), True),
        (DuplexOptions(force_listen_count=0, listen_in_open_turn="close"), False),
    ):
        with call(model, options) as session:
            session.prepare(PREFIX, SUFFIX)
            script(monkeypatch, model, words)
            assert unit(session).text == "The"
            unit(session)
            assert session.turn_open is open_after


def test_forced_listening_in_mid_speech_drops_the_speech_context(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|chunk_eos|>"])
        unit(session)
        assert voice_of(session).decoder.position > 0
        result = unit(session, force_listen=True)
        assert result.is_listen
        assert voice_of(session).decoder.position == 0


def test_a_closing_unit_may_speak_for_longer_than_a_second(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        words = ["<|speak|>", "The", "<|turn_eos|>", "<|chunk_eos|>"]
        script(monkeypatch, model, words)
        codes = []
        monkeypatch.setattr(
            voice_of(session).decoder,
            "codes",
            lambda rows, limit, **_: codes.append(limit) or iter(range(limit)),
        )
        result = unit(session)
        assert codes == [76]
        assert result.n_speech_tokens == 75
        assert result.waveform is not None
        assert result.waveform.numel() == (75 + 3) * 960


def test_too_little_audio_reads_nothing_and_waits(model):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        unit(session)
        length = session.kv_cache_length
        heard = session.prefill(SECOND[:6000], [picture(0, 60, 40)])
        assert not heard.success
        assert "needed" in heard.reason
        assert session.kv_cache_length == length
        assert session.generate().is_listen
        assert session.state is DuplexState.READY
        assert session.prefill(SECOND[6000:]).success


def test_a_picture_before_any_sound_does_not_spoil_the_first_audio(model):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        session.prefill(frames=[picture(0, 60, 40)])
        session.generate()
        session.finalize()
        assert session.prefill(SECOND).success
        assert session.hearing.encoder_length == 50


def test_remembered_speech_is_put_behind_the_voice_sample(model, monkeypatch):
    options = DuplexOptions(
        force_listen_count=0, window=DuplexWindow(mode="context", max_units=1, previous_max=5)
    )
    with call(model, options) as session:
        session.prepare(PREFIX, SUFFIX, wave(5, 1.0))
        protected = session.memory.protected_length
        words = ["<|speak|>", "The", "<|turn_eos|>", "<|chunk_eos|>", "<|listen|>"]
        script(monkeypatch, model, words)
        unit(session)
        unit(session)
        remembered = model.tokenizer.ids_of(["The"])
        assert session.memory.remembered_ids == remembered
        assert session.memory.suffix_ids == model.tokenizer.encode("<|im_end|>")
        grown = len(session.memory.marker_ids) + 1
        assert session.memory.protected_length == protected + grown


def test_a_long_call_keeps_its_cache_bounded_and_keeps_deciding(model):
    options = DuplexOptions(
        force_listen_count=0, window=DuplexWindow(mode="basic", high=160, low=100)
    )
    with call(model, options) as session:
        session.prepare(PREFIX, SUFFIX)
        lengths = [unit(session) and session.kv_cache_length for _ in range(40)]
        assert max(lengths) <= 160
        assert session.memory.n_dropped_units > 0


def test_nothing_rendered_is_no_waveform(model):
    with call(model, DuplexOptions(force_listen_count=1)) as session:
        session.prepare(PREFIX, SUFFIX)
        assert unit(session).waveform is None


def test_text_only_calls_make_no_sound(model, monkeypatch):
    options = DuplexOptions(force_listen_count=0, generate_audio=False)
    with call(model, options) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|chunk_eos|>"])
        result = unit(session)
        assert (result.text, result.waveform) == ("The", None)


def test_steps_out_of_order_are_refused(model):
    with call(model) as session:
        with pytest.raises(SessionStateError, match="new, not ready"):
            session.prefill(SECOND)
        session.prepare(PREFIX, SUFFIX)
        with pytest.raises(SessionStateError, match="ready, not unfinalized"):
            session.finalize()
        session.prefill(SECOND)
        session.generate()
        with pytest.raises(SessionStateError, match="unfinalized"):
            session.prefill(SECOND)


def test_a_stopped_call_answers_and_only_prepare_revives_it(model):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        session.stop()
        assert not session.prefill(SECOND).success
        result = session.generate()
        assert (result.is_listen, result.end_of_turn) == (True, True)
        session.prepare(PREFIX, SUFFIX)
        assert session.prefill(SECOND).success


def test_bad_audio_reads_nothing(model):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        length = session.kv_cache_length
        with pytest.raises(MediaError, match="NaN"):
            session.prefill(np.full(16000, np.nan, dtype=np.float32))
        assert session.kv_cache_length == length
        assert session.prefill(SECOND).success


def test_a_second_conversation_on_the_same_session_starts_clean(model):
    results = []
    with call(model, DuplexOptions(force_listen_count=0, do_sample=False)) as session:
        for _ in range(2):
            session.prepare(PREFIX, SUFFIX, wave(5, 1.0))
            results.append([unit(session, wave(3, 1.0)).text for _ in range(3)])
    assert results[0] == results[1]


def test_a_turn_that_is_not_open_cannot_end(model):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        session.prefill(SECOND)
        turn_end = model.tokenizer.id_of("<|turn_eos|>")
        seen = []
        choose = session.decider.choose
        session.decider.choose = lambda scores: seen.append(scores[turn_end]) or choose(scores)
        session.generate()
        assert seen[0] == -torch.inf


def test_a_model_that_yields_before_it_speaks_on_cuts_its_turn(model, monkeypatch):
    options = DuplexOptions(force_listen_count=0, listen_in_open_turn="close")
    with call(model, options) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|chunk_eos|>", "<|listen|>"])
        unit(session)
        result = unit(session)
        assert (result.is_listen, result.interrupted, result.waveform) == (True, True, None)
        ends = model.tokenizer.ids_of(["<|turn_eos|>", "<|listen|>", "</unit>"])
        assert session.unit_ids == ends
        assert voice_of(session).decoder.position == 0


def test_a_model_that_yields_behind_its_words_says_them_to_the_end(model, monkeypatch):
    options = DuplexOptions(force_listen_count=0, listen_in_open_turn="close")
    with call(model, options) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|listen|>"])
        result = unit(session)
        assert (result.text, result.end_of_turn, result.interrupted) == ("The", True, False)
        assert result.waveform is not None


def test_each_stage_tells_what_it_cost(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|chunk_eos|>", "<|chunk_eos|>"])
        costs = unit(session).costs_s
        stages = (costs.llm, costs.tts_prep, costs.tts, costs.token2wav)
        assert min(stages) > 0
        assert sum(stages) == pytest.approx(costs.whole)
        listening = unit(session, force_listen=True).costs_s
        assert (listening.llm > 0, listening.tts, listening.token2wav) == (True, 0, 0)


def test_a_unit_is_generated_in_several_steps(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "sky", "<|chunk_eos|>"])
        session.prefill(SECOND)
        assert len(list(session.steps())) == 5  # three tokens, the codes, the sound


def test_an_abandoned_unit_leaves_no_trace_in_the_cache(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|chunk_eos|>"] * 2)
        unit(session)
        length = session.kv_cache_length
        session.prefill(SECOND)
        session.generate()
        session.abandon_unit()
        assert (session.kv_cache_length, session.turn_open) == (length, False)
        assert unit(session, force_listen=True).is_listen


@pytest.mark.parametrize("mode", ["auto", "basic", "context"])
def test_a_call_outlives_its_cache_whatever_its_window(model, mode):
    options = DuplexOptions(force_listen_count=0, window=DuplexWindow(mode=mode, max_units=1000))
    with call(model, options) as session:
        session.prepare(PREFIX, SUFFIX)
        frames = [picture(0, 60, 40)]
        for _ in range(15):
            session.prefill(SECOND, frames)
            session.generate()
            session.finalize()
        assert session.memory.n_dropped_units > 0
        assert session.n_units == 15


def test_without_a_window_a_full_cache_is_told_before_anything_is_read(model):
    options = DuplexOptions(force_listen_count=1000, window=DuplexWindow(mode="off"))
    with call(model, options) as session:
        session.prepare(PREFIX, SUFFIX)
        with pytest.raises(PromptTooLongError):
            for _ in range(100):
                unit(session)
        assert session.state is DuplexState.READY
        assert session.memory.n_dropped_units == 0
        assert session.kv_cache_length == session.memory.length
        assert session.hearing.n_waiting == 80


def test_speech_that_never_pauses_outlives_its_cache(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        decoder = voice_of(session).decoder
        monkeypatch.setattr(decoder.slot.cache, "capacity", 90)
        script(monkeypatch, model, ["<|speak|>", "The", "<|chunk_eos|>"] * 6)
        results = [unit(session) for _ in range(6)]
        assert [result.n_speech_tokens for result in results[1:]] == [25] * 5
        assert decoder.slot.length <= 90


def test_a_prompt_of_ids_reads_the_names_of_special_tokens_as_words(model):
    tokenizer = model.tokenizer
    with call(model) as session:
        as_text = session.prepare("<|im_end|>", "")
        as_words = session.prepare(tokenizer.encode_plain("<|im_end|>"), [])
        assert (as_text, as_words > 1) == (1, True)


def test_the_time_that_others_take_between_two_steps_is_not_counted(model, monkeypatch):
    with call(model) as session:
        session.prepare(PREFIX, SUFFIX)
        script(monkeypatch, model, ["<|speak|>", "The", "<|chunk_eos|>"])
        session.prefill(SECOND)
        steps, costs = session.steps(), None
        others_s = 0.0
        started_s = time.perf_counter()
        while costs is None:
            try:
                next(steps)
            except StopIteration as end:
                costs = end.value.costs_s
            else:
                time.sleep(0.02)
                others_s += 0.02
        assert costs.whole <= time.perf_counter() - started_s - others_s
