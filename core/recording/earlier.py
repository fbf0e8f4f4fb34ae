"""What a recording that is taken up again holds already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.recording.folders import META, read_json
from core.recording.journal import read_journal


@dataclass(frozen=True)
class EarlierTurns:
    """`meta.json`, and how many turns, pictures and videos there are."""

    meta: dict[str, Any]
    n_turns: int = 0
    n_images: int = 0
    n_videos: int = 0


def read_earlier_turns(folder: Path) -> EarlierTurns:
    """Look into a recording.

    Raises:
        OSError, ValueError: there is none.
    """
    turns = [happened for happened in read_journal(folder) if happened["event"] == "turn"]
    inputs = [turn["input"] for turn in turns]
    return EarlierTurns(
        meta=read_json(folder / META),
        n_turns=len(turns),
        n_images=sum(len(given.get("images", [])) for given in inputs),
        n_videos=sum(len(given.get("videos", [])) for given in inputs),
    )
