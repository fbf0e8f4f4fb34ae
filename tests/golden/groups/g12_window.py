"""Context windows: dropping a span of the cache and turning what follows."""

from __future__ import annotations

from collections.abc import Iterator

from MiniCPMO45.sessions.base import Session
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.duplex import replay

CACHE_ABSOLUTE = 1e-4
SCORE_ABSOLUTE = 5e-4


def run(context: Context) -> Iterator[CaseResult]:
    for name in context.names("12"):
        case_name = name.removeprefix("12_")
        if name == "12_window_cache_ops":
            yield from _cache_operations(context, name)
        elif name == "12_window_duplex":
            for recorded in context.json(name)["sessions"]:
                case = Case("12", f"window_duplex {recorded['name']}")
                replay(case, context, recorded, context.arrays(name))
                yield case.result()
        elif rule := context.allowed_skip("12", case_name):
            yield Case("12", case_name).skip(rule)


def _cache_operations(context: Context, name: str) -> Iterator[CaseResult]:
    recorded, arrays = context.json(name), context.arrays(name)
    for position, drop in enumerate(recorded["drops"]):
        case = Case("12", f"window_cache_ops drop {position}")
        with Session(context.model) as session:
            session.feed_ids(recorded["ids"])
            fits = session.drop_span(drop["preserve"], drop["length"])
            case.equal("ok", drop["ok"], fits)
            case.equal("cache", drop["cache"], session.kv_cache_length)
            for layer in range(context.model.config.num_hidden_layers):
                for what, tensor in zip(("key", "value"), session.slot.layer(layer), strict=True):
                    key = f"drop{position}.{what}{layer}"
                    tensor = tensor.transpose(0, 1)  # recorded as [kv_heads, tokens, head_dim]
                    case.close(key, arrays[key], tensor, absolute=CACHE_ABSOLUTE)
            scores = session.scores(session.feed_ids(recorded["probe_ids"]))
            key = f"drop{position}.probe_logits"
            case.close(key, arrays[key], scores, absolute=SCORE_ABSOLUTE)
        yield case.result()
