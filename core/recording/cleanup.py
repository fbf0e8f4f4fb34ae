"""Deleting old recordings, and the oldest ones where they take too much room."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from core.logs import event
from core.recording.folders import (
    JOURNAL,
    META,
    is_being_written,
    read_json,
    session_folders,
    sessions_folder,
    size_bytes,
)

logger = logging.getLogger(__name__)

GIBIBYTE = 1 << 30
MEBIBYTE = 1 << 20
SILENT_S = 3600.0  # an unfinished recording in which nothing happens for so long is over


@dataclass(frozen=True)
class Session:
    """A recording that may be deleted."""

    folder: Path
    created_at: datetime
    n_bytes: int


def get_session_info(folder: str | Path) -> tuple[str, datetime, int]:
    """Id, time of creation and bytes of a recording.

    Raises:
        ValueError: `meta.json` is missing or broken.
    """
    folder = Path(folder)
    try:
        meta = read_json(folder / META)
    except OSError as error:
        raise ValueError(f"{folder.name} has no {META}") from error
    except ValueError as error:
        raise ValueError(f"{folder.name}: {META} cannot be read") from error
    if isinstance(meta.get("created_at"), str):
        created_at = datetime.fromisoformat(meta["created_at"])
    else:
        created_at = datetime.fromtimestamp((folder / META).stat().st_mtime, timezone.utc)
    if created_at.tzinfo is None:
        created_at = created_at.replace(tzinfo=timezone.utc)
    return str(meta.get("session_id", folder.name)), created_at, size_bytes(folder)


def is_live(folder: Path) -> bool:
    """Whether the session may still be going on."""
    if is_being_written(folder):
        return True
    try:
        if read_json(folder / META).get("ended_at") is not None:
            return False
        latest_s = max(
            path.stat().st_mtime for path in (folder / META, folder / JOURNAL) if path.exists()
        )
    except (OSError, ValueError):
        return False
    return time.time() - latest_s < SILENT_S


def cleanup_sessions(
    data_dir: str | Path,
    retention_days: float = -1,
    max_storage_gb: float = -1,
    *,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Delete recordings older than `retention_days`, then the oldest above `max_storage_gb`.

    A limit that is not positive is none. Sessions that go on are never deleted. A folder with a
    broken `meta.json` is reported and kept, one without any is reported and goes when it is old.

    Args:
        dry_run: delete nothing, and tell what would be deleted.
    """
    if retention_days < 0 and max_storage_gb < 0:
        return {"status": "skipped", "message": "no limit is set", "deleted": 0}
    if not sessions_folder(data_dir).is_dir():
        return {"status": "ok", "message": "there are no sessions", "deleted": 0}
    cleaning = _Cleaning(_list_only if dry_run else shutil.rmtree)
    folders = list(session_folders(data_dir))
    for folder in folders:
        cleaning.look_at(folder)
    if retention_days > 0:
        cleaning.delete_before(datetime.now(timezone.utc) - timedelta(days=retention_days))
    if max_storage_gb > 0:
        cleaning.delete_above(max_storage_gb * GIBIBYTE)
    result = {"status": "ok", "scanned": len(folders)} | cleaning.result()
    return result | ({"would_delete": cleaning.deleted} if dry_run else {})


class _Cleaning:
    """One round through all recordings.

    Args:
        delete: removes a folder.
    """

    def __init__(self, delete: Callable[[Path], None]) -> None:
        self.deleted: list[str] = []
        self._delete = delete
        self._sessions: list[Session] = []  # named ones; the others do not count as recordings
        self._nameless: list[Session] = []
        self._n_expired = self._n_for_capacity = self._n_bytes = 0
        self._errors: list[str] = []

    def look_at(self, folder: Path) -> None:
        """Take a folder into account."""
        try:
            _, created_at, n_bytes = get_session_info(folder)
        except ValueError as error:
            self._errors.append(str(error))
            if not (folder / META).exists():
                changed_at = datetime.fromtimestamp(folder.stat().st_mtime, timezone.utc)
                self._nameless.append(Session(folder, changed_at, 0))
            return
        self._sessions.append(Session(folder, created_at, n_bytes))
        self._n_bytes += n_bytes

    def delete_before(self, time_limit: datetime) -> None:
        """Delete what is older."""
        for sessions in (self._sessions, self._nameless):
            for session in [s for s in sessions if s.created_at < time_limit]:
                if self._remove(session):
                    self._n_expired += 1
                    sessions.remove(session)

    def delete_above(self, limit_bytes: float) -> None:
        """Delete the oldest until the rest takes no more than that."""
        for session in sorted(self._sessions, key=lambda session: session.created_at):
            if self._n_bytes <= limit_bytes:
                return
            if self._remove(session):
                self._n_for_capacity += 1
                self._sessions.remove(session)

    def result(self) -> dict[str, Any]:
        """What was done, and what is left."""
        return {
            "deleted": self._n_expired + self._n_for_capacity,
            "deleted_expired": self._n_expired,
            "deleted_capacity": self._n_for_capacity,
            "remaining": len(self._sessions),
            "remaining_size_mb": round(self._n_bytes / MEBIBYTE, 2),
            "errors": self._errors,
        }

    def _remove(self, session: Session) -> bool:
        if is_live(session.folder):
            return False
        try:
            self._delete(session.folder)
        except OSError as error:
            self._errors.append(f"{session.folder.name}: {error}")
            return False
        self.deleted.append(session.folder.name)
        self._n_bytes -= session.n_bytes
        return True


def _list_only(folder: Path) -> None:
    logger.info(event("would_delete", session_id=folder.name))
