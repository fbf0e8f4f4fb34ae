"""One-shot chat: the last prompt position, and greedy answers token by token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from MiniCPMO45 import ChatSession, GenerationOptions, Prompt, speech_tokens
from MiniCPMO45.speech_sampling import SpeechSampling
from tests.golden.arrays import RecordedArrays
from tests.golden.beam_search import beam_search
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.greedy import recorded_choices
from tests.golden.messages import chat_message, prompt_options
from tests.golden.speech import TEMPERATURE, BestCode, RecordingVocoder

ABSOLUTE = 5e-4
CONDITION_ABSOLUTE = 1e-4
BEAM_PENALTY = 1.2  # what the published code uses when it searches beams without sampling


def run(context: Context) -> Iterator[CaseResult]:
    recorded, arrays = context.json("08_chat"), context.arrays("08_chat")
    for entry in recorded["runs"]:
        case = Case("08", entry["name"])
        with _prefilled(context, entry) as (session, prompt):
            case.equal("prompt_tokens", entry["prompt_tokens"], prompt.n_tokens)
            hidden = session.last_hidden
            for name, tensor in (("hidden", hidden), ("logits", session.scores(hidden))):
                key = f"{entry['name']}.first_{name}"
                case.close(key, arrays[key], tensor, absolute=ABSOLUTE)
            if entry["options"].get("num_beams", 1) > 1:
                _check_beams(case, session, entry)
            else:
                _check_greedy(case, session, entry)
        yield case.result()
    for entry in recorded["speech"]:
        yield _spoken(context, entry, arrays)
    for position, entry in enumerate(recorded["speech_without_end_marker"]):
        case = Case("08", f"speech_without_end_marker {position} text")
        with _prefilled(context, entry) as (session, _):
            _check_greedy(case, session, entry)
        yield case.result()
        name = f"speech_without_end_marker {position} audio"
        if rule := context.allowed_skip("08", name, entry):
            yield Case("08", name).skip(rule)


def _spoken(context: Context, entry: dict, arrays: RecordedArrays) -> CaseResult:
    case = Case("08", entry["name"])
    vocoder, best = RecordingVocoder(), BestCode()
    with _prefilled(context, entry) as (session, _):
        _check_greedy(case, session, entry)
        condition = arrays[f"{entry['name']}.condition"]
        case.close("condition", condition, session.speech_condition(), absolute=CONDITION_ABSOLUTE)
        with patch.object(speech_tokens, "draw_code", best):
            sampling = SpeechSampling(temperature=TEMPERATURE)
            waveforms = list(session.speak(vocoder, sampling))
    codes = best.codes[:-1]  # the last draw is not part of the reply
    if case.ids("audio_tokens", entry["audio_tokens"], codes, best.gaps):
        calls = [
            {
                "n": len(call["tokens"]),
                "first": call["tokens"][:3],
                "last_chunk": call["last_chunk"],
            }
            for call in vocoder.calls
        ]
        case.equal("vocoder_calls", entry["vocoder_calls"], calls)
        n_samples = sum(waveform.numel() for waveform in waveforms)
        case.equal("waveform_samples", entry["waveform_samples"], n_samples)
    return case.result()


@contextmanager
def _prefilled(context: Context, entry: dict) -> Iterator[tuple[ChatSession, Prompt]]:
    with ChatSession(context.model, compat=context.compat, seed=0) as session:
        messages = [chat_message(message) for message in entry["messages"]]
        yield session, session.prefill(messages, prompt_options(entry["options"]))


def _check_greedy(case: Case, session: ChatSession, entry: dict) -> None:
    options = entry["options"]
    generation_options = GenerationOptions(
        do_sample=False,
        max_new_tokens=options["max_new_tokens"],
        min_new_tokens=options.get("min_new_tokens", 0),
        repetition_penalty=options.get("repetition_penalty", 1.02),
    )
    with recorded_choices() as choices:
        for _ in session.generate(generation_options):
            pass
    answer = session.answer
    assert answer is not None
    ids = [*answer.token_ids]
    if answer.terminator_id is not None:
        ids.append(answer.terminator_id)
    if case.ids("generated_ids", entry["generated_ids"], ids, choices.gaps):
        case.equal("answer", entry["answer"], answer.text)
        tokenizer = session.model.tokenizer
        if "raw_text" in entry:
            raw = tokenizer.decode([index for index in answer.token_ids if index != 0])
            case.equal("raw_text", entry["raw_text"], raw)


def _check_beams(case: Case, session: ChatSession, entry: dict) -> None:
    ids = beam_search(
        session,
        n_beams=entry["options"]["num_beams"],
        max_new_tokens=entry["options"]["max_new_tokens"],
        repetition_penalty=entry["options"].get("repetition_penalty", BEAM_PENALTY),
    )
    case.ids("generated_ids", entry["generated_ids"], ids)
