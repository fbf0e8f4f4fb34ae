"""What to say to a model that understands little: one JSON file for each, under its name."""

from __future__ import annotations

import json
from pathlib import Path

from config import RESOURCES_PATH

FOLDER = RESOURCES_PATH / "examples"

Examples = dict[str, list[str]]
"""Sentences by app."""


def read_examples(folder: Path = FOLDER) -> dict[str, Examples]:
    """The examples of every model that has some."""
    return {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.glob("*.json"))
    }
