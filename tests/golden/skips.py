"""Every case the runner may leave out, with the reason. Nothing else may be skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class AllowedSkip:
    """Cases of ``group`` whose name matches ``cases`` (shell pattern)."""

    group: str
    cases: str
    reason: str
    only_errors: bool = False
    """Covers only entries recorded with an ``error`` in place of a result."""


ALLOWED_SKIPS = (
    AllowedSkip("*", "*", "the recorded code failed on this entry", only_errors=True),
    AllowedSkip(
        "11",
        "second_session_plain*",
        "records encoder state that leaks from one conversation into the next",
    ),
    AllowedSkip(
        "11",
        "second_session_after_reset*",
        "records normalisation state that leaks from one conversation into the next",
    ),
    AllowedSkip("12", "window_turns*", "records a window that drops the wrong rounds"),
)

OPEN_GROUPS = {}


def allowed_skip(
    group: str, name: str, entry: Mapping[str, Any] | None = None
) -> AllowedSkip | None:
    """The rule that lets a case be skipped, or None when it must run.

    Args:
        entry: the recorded JSON object of the case, when it may hold an ``error``.
    """
    failed = entry is not None and bool(entry.get("error"))
    for skip in ALLOWED_SKIPS:
        named = fnmatchcase(group, skip.group) and fnmatchcase(name, skip.cases)
        if named and (failed or not skip.only_errors):
            return skip
    return None
