"""The recordings of this service: listing, deleting and cleaning up."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from config import ServiceConfig
from core import errors
from core.logs import event
from core.recording import cleanup_sessions, load_meta
from core.recording.cleanup import is_live
from core.recording.folders import session_folders, size_bytes
from core.tasks import beside
from gateway_modules.session_models import ListedSession, SessionList, SessionMeta, StorageInfo

logger = logging.getLogger(__name__)

SECONDS_PER_HOUR = 3600


class RecordedSessions:
    """All recordings below the data folder. What reads the disk belongs beside the event loop."""

    def __init__(self, config: ServiceConfig) -> None:
        self._settings = config.recording
        self._data_path = config.data_path
        self._last_cleanup: dict[str, Any] | None = None

    def page(
        self, page: int, page_size: int, app_type: str | None, day: date | None
    ) -> SessionList:
        """A page of the sessions of that kind, begun on that day (UTC)."""
        metas = [
            (folder, meta)
            for folder in session_folders(self._data_path)
            if (meta := _meta_of(folder)) is not None
            and app_type in (None, meta.app_type)
            and (day is None or meta.created_at.startswith(day.isoformat()))
        ]
        metas.sort(key=lambda pair: pair[1].created_at, reverse=True)
        start = (page - 1) * page_size
        return SessionList(
            total=len(metas),
            page=page,
            page_size=page_size,
            sessions=[
                ListedSession(**meta.model_dump(), size_bytes=size_bytes(folder))
                for folder, meta in metas[start : start + page_size]
            ],
        )

    def storage(self) -> StorageInfo:
        """What the recordings take, and what limits them."""
        folders = list(session_folders(self._data_path))
        places = (self._data_path, *self._data_path.parents)
        existing = next(place for place in places if place.exists())
        return StorageInfo(
            sessions=len(folders),
            size_bytes=sum(map(size_bytes, folders)),
            free_bytes=shutil.disk_usage(existing).free,
            recording_enabled=self._settings.enabled,
            session_retention_days=self._settings.session_retention_days,
            max_storage_gb=self._settings.max_storage_gb,
            last_cleanup=self._last_cleanup,
        )

    def delete(self, folder: Path) -> None:
        """Delete a recording.

        Raises:
            SessionActiveError: its session still goes on.
        """
        if is_live(folder):
            raise errors.SessionActiveError(f"The session {folder.name} is still going on")
        shutil.rmtree(folder)
        logger.info(event("session_deleted", session_id=folder.name))

    def clean_up(self) -> None:
        """Delete what is too old or too much."""
        settings = self._settings
        self._last_cleanup = cleanup_sessions(
            self._data_path, settings.session_retention_days, settings.max_storage_gb
        )
        errors_met = self._last_cleanup.get("errors") or None
        logger.info(event("cleanup", deleted=self._last_cleanup["deleted"], errors=errors_met))

    @asynccontextmanager
    async def cleaned_regularly(self) -> AsyncIterator[None]:
        """In the block, clean up soon after its start and then every so many hours."""
        async with beside(self._clean_regularly()):
            yield

    async def _clean_regularly(self) -> None:
        await asyncio.sleep(self._settings.cleanup_first_s)
        while True:
            try:
                await asyncio.to_thread(self.clean_up)
            except OSError as error:
                logger.error(event("cleanup_failed", reason=str(error)))
            await asyncio.sleep(self._settings.cleanup_period_h * SECONDS_PER_HOUR)


def _meta_of(folder: Path) -> SessionMeta | None:
    """What is known of a recording; None when its description is missing or broken."""
    try:
        return SessionMeta.model_validate(load_meta(folder) | {"session_id": folder.name})
    except (OSError, ValueError):
        return None
