"""Recordings as they are read: whole ones, running ones, and those whose worker died."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from core.recording.contents import assemble
from core.recording.folders import JOURNAL, META, RECORDING, is_being_written, read_json


def load_meta(folder: Path) -> dict[str, Any]:
    """What `meta.json` says; a recording that broke off ended with its last event.

    Raises:
        OSError, ValueError: there is none.
    """
    meta = read_json(folder / META)
    journal = folder / JOURNAL
    if meta.get("ended_at") is None and journal.exists() and not is_being_written(folder):
        ended_at = datetime.fromtimestamp(journal.stat().st_mtime, timezone.utc)
        meta["ended_at"] = ended_at.isoformat()
        try:
            lasted = ended_at - datetime.fromisoformat(meta["created_at"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{META} does not tell when the session began") from error
        meta["duration_s"] = round(max(0.0, lasted.total_seconds()), 1)
    return meta


def load_recording(folder: Path) -> dict[str, Any]:
    """What `recording.json` says, or would say of a recording that broke off.

    Raises:
        OSError, ValueError: there is none, or not yet.
    """
    if (folder / RECORDING).exists():
        return read_json(folder / RECORDING)
    if is_being_written(folder):
        raise FileNotFoundError("the session is still going on")
    return assemble(folder)
