"""The text that the tokenizer and the output head are made from, one paragraph a line."""

from __future__ import annotations

from pathlib import Path


def paragraphs() -> list[str]:
    """English paragraphs, then Chinese ones; each ends with a full stop or a question mark."""
    return Path(__file__).with_name("corpus.txt").read_text(encoding="utf-8").splitlines()


def characters_beyond_ascii() -> list[str]:
    """Every character of the corpus that takes more than one byte."""
    return sorted({character for character in "".join(paragraphs()) if not character.isascii()})
