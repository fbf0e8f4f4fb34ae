"""An answer given too early and taken back leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from MiniCPMO45 import ChatMessage, GenerationOptions, StreamingSession
from MiniCPMO45.streaming_mel import StreamingMelSettings
from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.greedy import recorded_choices
from tests.golden.inputs import wave

SYSTEM = "You are a helpful assistant."
PIECES = {"audio 1": (1, 1.035), "audio 2": (2, 1.0), "audio 3": (3, 1.0)}
KEY_SUM_ABSOLUTE = 1e-3
MAX_NEW_TOKENS = 256


def run(context: Context) -> Iterator[CaseResult]:
    recorded, arrays = context.json("13_speculative"), context.arrays("13_speculative")
    settings = StreamingMelSettings(redundancy_ms=20.0)
    for entry in recorded["sessions"]:
        case = Case("13", entry["name"])
        with StreamingSession(
            context.model, compat=context.compat, seed=0, mel_settings=settings
        ) as session:
            snapshot = session.snapshot()
            for step in entry["steps"]:
                name = step["step"]
                if name == "system":
                    session.prefill(ChatMessage("system", SYSTEM))
                elif name in PIECES:
                    session.prefill(ChatMessage("user", [wave(*PIECES[name])]))
                elif name == "restored":
                    case.equal("restored", True, session.restore(snapshot))
                else:
                    if "speculative" not in name:
                        keys, _ = session.slot.layer(0)
                        key = f"{entry['name']}.layer0_key_sum"
                        case.close(key, arrays[key], keys.sum((1, 2)), absolute=KEY_SUM_ABSOLUTE)
                    snapshot = session.snapshot()
                    if not _answer(case, session, step):
                        break
                case.equal(f"{name} cache", step["cache"], session.kv_cache_length)
        yield case.result()


def _answer(case: Case, session: StreamingSession, step: dict[str, Any]) -> bool:
    options = GenerationOptions(streaming=True, do_sample=False, max_new_tokens=MAX_NEW_TOKENS)
    with recorded_choices() as choices:
        text = "".join(delta.text for delta in session.generate(options))
    ids = [index for chunk in step["ids"] for index in chunk["ids"]]
    if step["ids"][-1]["finished"]:
        choices.ids.pop()
    if not case.ids(f"{step['step']} ids", ids, choices.ids, choices.gaps):
        return False
    return case.equal(f"{step['step']} text", step["text"], text)
