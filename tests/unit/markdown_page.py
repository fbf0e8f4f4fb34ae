"""Just enough Markdown to hold the documentation against the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Heading:
    level: int
    text: str

    @property
    def anchor(self) -> str:
        """The fragment that GitHub gives the heading."""
        kept = re.sub(r"[^\w\- ]", "", self.text.lower())
        return kept.strip().replace(" ", "-")


class MarkdownPage:
    """One page of the repository."""

    def __init__(self, name: str) -> None:
        self.path = PROJECT_ROOT / name
        self.text = self.path.read_text(encoding="utf-8")
        self.prose = _FENCE.sub("", self.text)

    @property
    def headings(self) -> list[Heading]:
        found = re.findall(r"^(#+) (.+)$", self.prose, re.MULTILINE)
        return [Heading(len(marks), text) for marks, text in found]

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    def code_blocks(self, language: str) -> list[str]:
        return [code for name, code in _FENCE.findall(self.text) if name == language]

    def section(self, heading: str) -> str:
        """The prose below a heading, up to the next one of any level."""
        match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", self.prose, re.M | re.S)
        assert match, f"{self.path.name} has no heading {heading!r}"
        return match[1]

    def rows(self, heading: str) -> list[list[str]]:
        """The cells of the table rows below a heading, without the head."""
        return [row for table in tables(self.section(heading)) for row in table]


def tables(prose: str) -> Iterator[list[list[str]]]:
    """The rows of each table, without its head."""
    for block in re.findall(r"(?:^\|.*\n)+", prose + "\n", re.MULTILINE):
        lines = block.strip().splitlines()[2:]
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def quoted(cell: str) -> list[str]:
    """What stands in backticks in a table cell."""
    return re.findall(r"`([^`]+)`", cell)


def first_quoted(rows: list[list[str]]) -> list[str]:
    """Everything in backticks in the first column."""
    return [name for row in rows for name in quoted(row[0])]
