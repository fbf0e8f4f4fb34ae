"""Tokenizer: encoding, decoding, special ids and the id sets that steer generation."""

from __future__ import annotations

from collections.abc import Iterator

from MiniCPMO45.tokenizer import Tokenizer
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context


def run(context: Context) -> Iterator[CaseResult]:
    recorded = context.json("01_tokenizer")
    tokenizer = Tokenizer(context.checkpoint)
    for entry in recorded["encode"]:
        case = Case("01", f"encode {entry['text'][:24]!r}")
        ids = tokenizer.encode(entry["text"])
        case.ids("ids", entry["ids"], ids)
        case.equal("tokens", entry["tokens"], [tokenizer.token_of(index) for index in ids])
        _check_decoding(case, tokenizer, entry)
        yield case.result()
    for name in ("prefix_decode", "random_decode"):
        for position, entry in enumerate(recorded[name]):
            case = Case("01", f"{name} {position}")
            _check_decoding(case, tokenizer, entry)
            yield case.result()
    yield _id_sets(recorded, tokenizer)


def _check_decoding(case: Case, tokenizer: Tokenizer, entry: dict) -> None:
    ids = entry["ids"]
    case.equal("decoded", entry["decoded"], tokenizer.decode(ids))
    shown = tokenizer.decode(ids, skip_special_tokens=True)
    case.equal("decoded_skip_special", entry["decoded_skip_special"], shown)
    stream = tokenizer.text_stream()
    streamed = "".join(stream.push(index) for index in ids) + stream.flush()
    case.equal("streamed", entry["decoded"], streamed)


def _id_sets(recorded: dict, tokenizer: Tokenizer) -> CaseResult:
    case = Case("01", "ids")
    special = recorded["special"]
    case.equal("special", special, {name: tokenizer.id_of(name) for name in special})
    case.equal("size", recorded["size"], tokenizer.size)
    for name, entry in (("bos", "<|im_start|>"), ("eos", "<|im_end|>"), ("pad", "<|endoftext|>")):
        case.equal(name, recorded[name], tokenizer.id_of(entry))
    case.equal("unk", recorded["unk"], tokenizer.unk_id)
    lookup = recorded["unknown_string_lookup"]
    case.equal("unknown_string_lookup", lookup, {name: tokenizer.id_of(name) for name in lookup})
    for name, ours in (
        ("skipped_by_skip_special_tokens", tokenizer.declared_special_ids),
        ("bad_token_ids", tokenizer.bad_token_ids),
        ("streaming_speech_suppressed_ids", tokenizer.speech_suppressed_ids),
        ("duplex_suppressed_ids", tokenizer.duplex_suppressed_ids),
    ):
        case.equal(name, sorted(recorded[name]), sorted(ours))
    case.equal(
        "streaming_terminator_ids",
        recorded["streaming_terminator_ids"],
        tokenizer.turn_terminator_ids,
    )
    return case.result()
