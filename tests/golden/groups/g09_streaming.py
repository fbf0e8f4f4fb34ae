"""Turn-based streaming without speech, and whole prompts answered on the cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from MiniCPMO45 import (
    ChatMessage,
    ChatSession,
    GenerationOptions,
    PromptOptions,
    StreamingSession,
    speech_tokens,
)
from MiniCPMO45.speech_sampling import SpeechSampling
from MiniCPMO45.streaming_mel import StreamingMelSettings
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.greedy import recorded_choices
from tests.golden.inputs import picture
from tests.golden.messages import chat_message, piece_options
from tests.golden.speech import TEMPERATURE, BestCode, RecordingVocoder, new_codes

SYSTEM = "You are a helpful assistant."
OPENING_OPTIONS = ("enable_thinking", "use_tts_template")
REDUNDANCY_AFTER_DUPLEX_MS = 20.0  # what creating the duplex component leaves behind upstream


def run(context: Context) -> Iterator[CaseResult]:
    for name in context.names("09"):
        case_name = name.removeprefix("09_")
        if name == "09_streaming_text":
            for session in context.json(name)["sessions"]:
                yield _streaming(context, session)
        elif name == "09_streaming_speech":
            for session in context.json(name)["sessions"]:
                yield _spoken(context, session)
        elif name == "09_non_streaming_session":
            for position, entry in enumerate(context.json(name)["runs"]):
                yield _whole_prompt(context, f"{case_name} {position} {entry['name']}", entry)
        elif rule := context.allowed_skip("09", case_name):
            yield Case("09", case_name).skip(rule)


def _streaming(context: Context, recorded: dict[str, Any]) -> CaseResult:
    case = Case("09", f"streaming_text {recorded['name']}")
    repeated = REDUNDANCY_AFTER_DUPLEX_MS if "after_duplex" in recorded["name"] else 0.0
    settings = StreamingMelSettings(redundancy_ms=repeated)
    with StreamingSession(
        context.model, compat=context.compat, seed=0, mel_settings=settings
    ) as session:
        for position, step in enumerate(recorded["steps"]):
            if "prefill" in step:
                options = piece_options(step["options"])
                piece = session.prefill(chat_message(step["prefill"]), options)
                case.equal(f"step {position} prompt", step["prompt"], piece.text)
            elif not _answer(case, session, f"step {position}", step):
                break
            case.equal(f"step {position} cache", step["cache"], session.kv_cache_length)
    return case.result()


def _answer(case: Case, session: StreamingSession, name: str, step: dict[str, Any]) -> bool:
    asked = dict(step["generate"])
    opening = {key: asked.pop(key) for key in OPENING_OPTIONS if key in asked}
    options = GenerationOptions(streaming=True, do_sample=False, **asked)
    with recorded_choices() as choices:
        deltas = list(session.generate(options, **opening))
    chosen = [index for chunk in step["id_chunks"] for index in chunk["ids"]]
    if step["id_chunks"][-1]["finished"]:
        choices.ids.pop()  # the terminator, which the recording leaves out
    if not case.ids(f"{name} ids", chosen, choices.ids, choices.gaps):
        return False
    text = "".join(delta.text for delta in deltas)
    recorded = "".join(chunk for chunk, _ in step["text_chunks"])
    # characters cut apart at the limit are lost upstream
    case.equal(f"{name} text", recorded.rstrip("\ufffd"), text.rstrip("\ufffd"))
    return True


def _spoken(context: Context, recorded: dict[str, Any]) -> CaseResult:
    attention_type = recorded["attention_type"]
    case = Case("09", f"streaming_speech {recorded['input']} {attention_type}")
    settings = StreamingMelSettings(
        redundancy_ms=REDUNDANCY_AFTER_DUPLEX_MS if recorded["input"] == "audio" else 0.0
    )
    with StreamingSession(
        context.model, compat=context.compat, seed=0, mel_settings=settings
    ) as session:
        session.prefill(ChatMessage("system", SYSTEM))
        for position, turn in enumerate(recorded["turns"]):
            name = f"turn {position}"
            piece = session.prefill(chat_message(turn["user"]))
            case.equal(f"{name} prompt", turn["prompt"], piece.text)
            vocoder, best = RecordingVocoder(), BestCode()
            options = GenerationOptions(
                streaming=True, do_sample=False, max_new_tokens=turn["generate"]["max_new_tokens"]
            )
            with recorded_choices() as choices, patch.object(speech_tokens, "draw_code", best):
                spoken = list(
                    session.speak(
                        vocoder,
                        options,
                        sampling=SpeechSampling(temperature=TEMPERATURE),
                        attention_type=attention_type,
                        window=recorded["token_window_size"],
                    )
                )
            chosen = [index for chunk in turn["id_chunks"] for index in chunk["ids"]]
            ours = choices.ids[: len(chosen)]
            if not case.ids(f"{name} ids", chosen, ours, choices.gaps):
                break
            end_id = context.model.config.tts_config.num_audio_tokens - 1
            pairs = zip(best.codes, best.gaps, strict=True)
            drawn = [(code, gap) for code, gap in pairs if code != end_id]
            ours = [code for code, _ in drawn]
            gaps = [gap for _, gap in drawn]
            if not case.ids(f"{name} codes", new_codes(turn["vocoder_calls"]), ours, gaps):
                break
            case.equal(f"{name} vocoder_calls", turn["vocoder_calls"], vocoder.calls)
            spoken = [part for part in spoken if part.waveform.numel()]
            samples = [part["samples"] for part in turn["yielded"]]
            case.equal(f"{name} samples", samples, [part.waveform.numel() for part in spoken])
            # a broken character may come with the sound before or after it
            texts = [part["text"].strip("\ufffd") for part in turn["yielded"]]
            case.equal(f"{name} text", texts, [part.text.strip("\ufffd") for part in spoken])
            case.equal(f"{name} cache", turn["cache"], session.kv_cache_length)
    return case.result()


def _whole_prompt(context: Context, name: str, entry: dict[str, Any]) -> CaseResult:
    case = Case("09", name)
    if rule := context.allowed_skip("09", name, entry):
        return case.skip(rule)
    body = entry["prompt"].removeprefix("<|im_start|>user\n").removesuffix("<|im_end|>\n")
    parts = body.split("<image>./</image>\n")
    content = [parts[0]] if len(parts) == 1 else [picture(1, 300, 200), parts[1]]
    options = PromptOptions(style="kv", use_tts_template=False)
    with ChatSession(context.model, compat=context.compat, seed=0) as session:
        prompt = session.prefill([ChatMessage("user", content)], options)
        case.equal("prompt", entry["prompt"], prompt.text)
        case.equal("prefill_cache", entry["prefill_cache"], session.kv_cache_length)
        limit = entry["stats"]["generated_tokens"] - 1
        list(session.generate(GenerationOptions(do_sample=False, max_new_tokens=limit)))
        assert session.answer is not None
        case.equal("text", entry["text"], session.answer.text)
        case.equal("cache", entry["cache"], session.kv_cache_length)
    return case.result()
