"""Finds the groups of a directory, runs them and reports."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.golden import groups
from tests.golden.case import CaseResult
from tests.golden.context import Context, LayoutError
from tests.golden.skips import OPEN_GROUPS

EXIT_FAILED = 1
EXIT_UNUSABLE = 2


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit status.

    0 when nothing failed, 1 when a case or a requirement failed, 2 when DIR cannot be used.
    """
    options = _parse(arguments)
    try:
        context = Context(options.directory)
        selected = _select(context, options.group)
    except LayoutError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE

    counts: Counter[str] = Counter()
    ran: set[str] = set()
    for result in run_groups(context, selected):
        counts[result.status] += 1
        if result.status != "skipped":
            ran.add(result.group)
        line = json.dumps(result.as_dict(), ensure_ascii=False) if options.json else str(result)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    missing = [group for group in options.require if group not in ran]
    for group in missing:
        sys.stderr.write(f"required group {group} did not run\n")
    sys.stdout.write(
        f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped\n"
    )
    return EXIT_FAILED if counts["failed"] or missing else 0


def run_groups(context: Context, selected: Sequence[str]) -> Iterator[CaseResult]:
    """Run groups in order; one that raises counts as a failed case and does not end the run."""
    modules = group_modules()
    for group in selected:
        if group not in modules:
            reason = OPEN_GROUPS.get(group, "no test module covers this group")
            yield CaseResult(group, "all", "skipped", notes=[reason])
            continue
        n_cases = 0
        try:
            for result in importlib.import_module(modules[group]).run(context):
                n_cases += 1
                yield result
            if not n_cases:
                yield CaseResult(group, "all", "failed", notes=["the recordings hold no case"])
        except Exception as error:
            traceback.print_exc()
            note = f"stopped by {type(error).__name__}: {error}"
            yield CaseResult(group, "all further cases", "failed", notes=[note])


def group_modules() -> dict[str, str]:
    """Two-digit prefix -> module that runs the group."""
    names = [module.name for module in pkgutil.iter_modules(groups.__path__)]
    return {
        match[1]: f"{groups.__name__}.{name}"
        for name in names
        if (match := re.fullmatch(r"g(\d\d)_\w+", name))
    }


def _select(context: Context, asked: Sequence[str]) -> list[str]:
    present = context.groups()
    for group in asked:
        if group not in present:
            raise LayoutError(f"{context.directory} holds no recordings of group {group}")
    return [group for group in present if not asked or group in asked]


def _two_digits(text: str) -> str:
    if not re.fullmatch(r"\d\d", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a two-digit group such as 03")
    return text


def _group_list(text: str) -> list[str]:
    return [_two_digits(part) for part in text.split(",") if part]


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden",
        description="Replay recorded inputs through the model and compare the outputs.",
    )
    parser.add_argument("directory", type=Path, metavar="DIR", help="holds tiny/ and cases/")
    parser.add_argument(
        "--group",
        type=_two_digits,
        action="append",
        default=[],
        metavar="NN",
        help="run this group only; may be repeated",
    )
    parser.add_argument(
        "--json", action="store_true", help="print each case as a JSON object on its line"
    )
    parser.add_argument(
        "--require",
        type=_group_list,
        default=[],
        metavar="NN,NN",
        help="fail unless each of these groups ran",
    )
    return parser.parse_args(arguments)
