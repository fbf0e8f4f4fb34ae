"""Full-duplex conversations."""

from __future__ import annotations

from collections.abc import Iterator

from tests.golden.case import Case, CaseResult
from tests.golden.context import Context
from tests.golden.duplex import replay


def run(context: Context) -> Iterator[CaseResult]:
    arrays = context.arrays("11_duplex")
    for recorded in context.json("11_duplex")["sessions"]:
        case = Case("11", recorded["name"])
        if rule := context.allowed_skip("11", recorded["name"]):
            yield case.skip(rule)
            continue
        replay(case, context, recorded, arrays)
        yield case.result()
