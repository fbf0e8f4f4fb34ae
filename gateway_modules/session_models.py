"""What the routes of sessions answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from gateway_modules.models import LocalTime


class SessionMeta(BaseModel):
    """A recorded session; `ended_at` and `duration_s` are null while it goes on."""

    session_id: str
    app_type: str
    created_at: str
    ended_at: str | None = None
    duration_s: float | None = None
    worker_id: int | None = None
    title: str = ""
    config: dict[str, Any] = {}
    recording_error: str | None = None
    replay_error: str | None = None


class SessionDetails(SessionMeta):
    """A recorded session with what a page has recorded of it itself, if that was uploaded."""

    frontend_replay: str | None = None


class ListedSession(SessionMeta):
    """A recorded session with the bytes that it takes."""

    size_bytes: int


class SessionList(BaseModel):
    """One page of recorded sessions, the newest first; `total` counts those of all pages."""

    total: int
    page: int
    page_size: int
    sessions: list[ListedSession]


class StorageInfo(BaseModel):
    """What recordings take; of `limits`, -1 is none."""

    sessions: int
    size_bytes: int
    free_bytes: int
    recording_enabled: bool
    session_retention_days: int
    max_storage_gb: float
    last_cleanup: dict[str, Any] | None = None


class UploadedRecording(BaseModel):
    status: Literal["ok"] = "ok"
    path: str
    size_bytes: int


class SavedComment(BaseModel):
    status: Literal["ok"] = "ok"
    len: int


class Comment(BaseModel):
    """What was written about a session; empty when there is nothing."""

    comment: str = ""


class LiveSession(BaseModel):
    """A session that goes on (`active`), or a conversation that a worker keeps."""

    session_id: str
    worker_id: str
    messages_hash: str = ""
    last_active: LocalTime | None = None
    request_type: str
    active: bool


class LiveSessions(BaseModel):
    total: int
    sessions: list[LiveSession]
