"""Speech-token generator: projector, backbone, and every way of drawing codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from MiniCPMO45.speech_tokens import REPLY_LIMIT, REPLY_MINIMUM, SpeechStream
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.inputs import tts_condition
from tests.golden.speech import cold_decoder

INTERLEAVED_LIMIT = 500


def run(context: Context) -> Iterator[CaseResult]:
    recorded = context.json("10_tts")
    yield _maths(context)
    for position, entry in enumerate(recorded["generate"]):
        yield _whole_reply(context, position, entry)
    for entry in recorded["chunks"]:
        yield _units(context, entry)
    for entry in recorded["streaming_generator"]:
        yield _stream(context, entry)
    for entry in recorded["interleaved"]:
        yield _interleaved(context, entry)


def _condition(context: Context, length: int, number: int) -> Tensor:
    width = context.model.config.tts_config.hidden_size
    return torch.from_numpy(tts_condition(length, width, number))


@torch.inference_mode()
def _maths(context: Context) -> CaseResult:
    case, arrays, model = (
        Case("10", "projector and backbone"),
        context.arrays("10_tts"),
        context.model,
    )
    length = arrays.whole("projector.out").shape[0]
    hidden = torch.from_numpy(tts_condition(length, model.config.tts_config.llm_dim, 0))
    projected = model.tts.projector_semantic(hidden)
    case.close("projector", arrays["projector.out"], projected, absolute=1e-5)
    normalised = functional.normalize(projected, dim=-1)
    case.close("normalised", arrays["projector.normalised"], normalised, absolute=1e-5)
    length = arrays.whole("backbone.hidden").shape[0]
    with cold_decoder(model) as (decoder, _):
        rows = model.speech.feed(_condition(context, length, 1), decoder.slot)
    case.close("backbone", arrays["backbone.hidden"], rows, absolute=1e-4)
    count = arrays.whole("head.logits_last3").shape[0]
    scores = model.tts.head_code[0](rows[-count:])
    case.close("head", arrays["head.logits_last3"], scores, absolute=1e-4)
    return case.result()


def _whole_reply(context: Context, position: int, entry: dict[str, Any]) -> CaseResult:
    case, options = Case("10", f"generate {position}"), entry["options"]
    limit = options.get("max_new_token", REPLY_LIMIT)
    minimum = options.get("min_new_token", REPLY_MINIMUM)
    if options.get("force_no_stop"):
        minimum = limit
    sampling = {"repetition_penalty": options.get("repetition_penalty", 1.05)}
    with cold_decoder(context.model, **sampling) as (decoder, best):
        condition = _condition(context, entry["length"], entry["k"])
        drawn = list(decoder.codes(condition, limit, minimum=minimum))
    case.ids("tokens", entry["tokens"], drawn[:-1], best.gaps)
    case.equal("finished", entry["finished"], drawn[-1] == decoder.end_id)
    return case.result()


def _units(context: Context, entry: dict[str, Any]) -> CaseResult:
    case = Case("10", f"chunks {entry['name']}")
    sampling = {"repetition_penalty": entry["repetition_penalty"]}
    with cold_decoder(context.model, **sampling) as (decoder, best):
        for index, chunk in enumerate(entry["chunks"]):
            best.gaps.clear()
            case.equal(f"chunk {index} start", chunk["start_position"], decoder.position)
            condition = _condition(context, chunk["length"], chunk["k"])
            codes = decoder.unit(condition, limit=entry["max"], minimum=entry["min"])
            if not case.ids(f"chunk {index} tokens", chunk["tokens"], codes, best.gaps):
                break
            case.equal(f"chunk {index} cache", chunk["cache_after"], decoder.slot.length)
    return case.result()


def _stream(context: Context, entry: dict[str, Any]) -> CaseResult:
    case = Case("10", f"streaming_generator {entry['attention_type']}")
    with cold_decoder(context.model) as (decoder, best):
        stream = SpeechStream(
            decoder,
            attention_type=entry["attention_type"],
            window=entry["token_window_size"],
            group_size=entry["chunk_size"],
            compat=context.compat,
        )
        produced = 0
        for index, call in enumerate(entry["calls"]):
            best.gaps.clear()
            condition = _condition(context, call["length"], call["k"])
            groups = list(stream.push(condition, text_finished=call["text_finished"]))
            codes = [code for group in groups for code in group.codes]
            recorded = [code for group in call["yields"] for code in group["tokens"]]
            # what was waiting before this call was drawn without a recorded gap
            waiting = len(codes) + len(stream.buffer) - len(best.gaps)
            gaps = [float("inf")] * max(0, waiting) + best.gaps
            if not case.ids(f"call {index} tokens", recorded, codes, gaps):
                break
            flags = [(len(group["tokens"]), group["last"]) for group in call["yields"]]
            case.equal(f"call {index} groups", flags, [(len(g.codes), g.last) for g in groups])
            case.equal(f"call {index} buffer", call["buffered_after"], len(stream.buffer))
            case.equal(f"call {index} start", call["start_position_after"], decoder.position)
            case.equal(f"call {index} cache", call["cache_after"], decoder.slot.length)
            produced += len(codes)
            total = produced + len(stream.buffer)
            case.equal(f"call {index} produced", call["produced_so_far"], total)
    return case.result()


def _interleaved(context: Context, entry: dict[str, Any]) -> CaseResult:
    """Conditions one after the other through the unit generator, allowed to stop."""
    name = f"interleaved {entry['attention_type']}"
    case = Case("10", name)
    if rule := context.allowed_skip("10", name, entry):
        return case.skip(rule)
    recompute = entry["attention_type"] == "sliding_recompute"
    codes: list[int] = []
    with cold_decoder(context.model) as (decoder, _):
        previous: Tensor | None = None
        for length, number in entry["conditions"]:
            rows = condition = _condition(context, length, number)
            if recompute and previous is not None:
                decoder.reset()
                rows = torch.cat((previous, condition))
            drawn = decoder.unit(rows, limit=INTERLEAVED_LIMIT, minimum=0)
            codes += drawn
            previous = torch.cat((condition, decoder.embed_codes(torch.tensor(drawn))))
    case.ids("tokens", entry["tokens"], codes)
    return case.result()
