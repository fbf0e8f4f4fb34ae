"""Prompt building: the chat template, voice prompts, whole prompts and incremental pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from MiniCPMO45 import GenerationOptions, PromptError, StreamingSession, voice_system_message
from MiniCPMO45.inputs import InputBuilder
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.messages import chat_message, piece_options, prompt_options

VOICE = np.zeros(16000, dtype=np.float32)


def run(context: Context) -> Iterator[CaseResult]:
    recorded = context.json("07_prompts")
    tokenizer = context.model.tokenizer
    for position, entry in enumerate(recorded["template"]):
        case = Case("07", f"template {position}")
        text = tokenizer.render(entry["messages"], **entry["options"])
        case.equal("text", entry["text"], text)
        yield case.result()
    for entry in recorded["voice_system_prompts"]:
        yield _voice_prompt(entry)
    builder = InputBuilder(tokenizer, context.model.image_settings, context.compat)
    for position, entry in enumerate(recorded["one_shot"]):
        yield _one_shot(builder, position, entry)
    yield _batch(context, recorded["one_shot_batch"])
    for entry in recorded["streaming_prefill"]:
        yield _incremental(context, entry)


def _voice_prompt(entry: dict[str, Any]) -> CaseResult:
    with_audio = entry["with_reference_audio"]
    sound = "with" if with_audio else "without"
    case = Case("07", f"voice {entry['mode']} {entry['language']} {sound} sample")
    try:
        message = voice_system_message(
            entry["mode"], entry["language"], VOICE if with_audio else None
        )
    except PromptError as error:
        if "error" not in entry:
            case.fail(f"refused: {error}")
        return case.result()
    if "error" in entry:
        case.fail(f"recorded {entry['error']}, ours was accepted")
        return case.result()
    case.equal("role", entry["role"], message.role)
    content = [{"audio": True} if item is VOICE else item for item in message.items]
    case.equal("content", entry["content"], content)
    return case.result()


def _one_shot(builder: InputBuilder, position: int, entry: dict[str, Any]) -> CaseResult:
    case = Case("07", f"one_shot {position}")
    messages = [chat_message(message) for message in entry["messages"]]
    prompt = builder.chat(messages, prompt_options(entry["options"]))
    case.equal("prompt", entry["prompt"], prompt.text)
    case.ids("input_ids", entry["input_ids"], prompt.ids)
    case.equal("image_bounds", entry["image_bounds"], prompt.image_bounds)
    case.equal("audio_bounds", entry["audio_bounds"], prompt.audio_bounds)
    sizes = [size for image in prompt.images for size in image.target_sizes.tolist()]
    case.equal("tgt_sizes", [_rows(entry["tgt_sizes"])], [sizes])
    lengths = prompt.audio.lengths if prompt.audio else []
    case.equal("mel_lens", entry["mel_lens"], [lengths])
    return case.result()


def _rows(recorded: list[Any]) -> list[Any]:
    """``[rows, columns]`` pairs of one sample, whether or not they are grouped by picture."""
    rows = recorded[0]
    return [pair for group in rows for pair in group] if rows and _nested(rows) else rows


def _nested(rows: list[Any]) -> bool:
    return isinstance(rows[0][0], list)


def _batch(context: Context, entry: dict[str, Any]) -> CaseResult:
    """Rows of a left-padded batch hold the same ids as each prompt alone."""
    case = Case("07", "one_shot_batch")
    for prompt, row, mask in zip(
        entry["prompts"], entry["input_ids"], entry["attention_mask"], strict=True
    ):
        kept = [index for index, valid in zip(row, mask, strict=True) if valid]
        case.ids("input_ids", kept, context.model.tokenizer.encode(prompt))
    return case.result()


def _incremental(context: Context, entry: dict[str, Any]) -> CaseResult:
    case = Case("07", f"streaming_prefill {entry['name']}")
    with StreamingSession(context.model, compat=context.compat, seed=0) as session:
        for position, step in enumerate(entry["steps"]):
            if "message" in step:
                options = piece_options(step["options"])
                piece = session.prefill(chat_message(step["message"]), options)
                case.equal(f"step {position} prompt", step["prompt"], piece.text)
                case.ids(f"step {position} input_ids", step["input_ids"], piece.ids)
            else:
                options = GenerationOptions(streaming=True, do_sample=False, **step["generate"])
                deltas = [delta.text for delta in session.generate(options)]
                case.equal(f"step {position} text", step["text"], "".join(deltas))
            case.equal(f"step {position} cache", step["cache"], session.kv_cache_length)
    return case.result()
