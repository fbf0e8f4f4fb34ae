"""What the routes that stop answers are asked, and what they say."""

from __future__ import annotations

from pydantic import BaseModel

from config import SecurityConfig
from core import errors
from gateway_modules.live_turns import LiveTurns
from gateway_modules.session_ids import clean_session_id


class StopRequest(BaseModel):
    """Which answers to stop: those of one session, or all."""

    session_id: str | None = None


class StoppedWorker(BaseModel):
    worker_id: str
    success: bool = True
    message: str = "Stop signal sent"


class StopResponse(BaseModel):
    success: bool
    message: str | None = None
    stopped: list[StoppedWorker] | None = None


async def stop_answers(
    turns: LiveTurns, body: StopRequest | None, security: SecurityConfig, none_found: str
) -> StopResponse:
    """End the answers that were asked for.

    Raises:
        InvalidFieldError: no session is named although there are API keys: others use the service
            too.
    """
    session_id = body.session_id if body else None
    if session_id is None and security.api_keys:
        raise errors.InvalidFieldError("session_id is required", field="session_id")
    worker_ids = await turns.stop(clean_session_id(session_id) if session_id else None)
    if not worker_ids:
        return StopResponse(success=False, message=none_found)
    stopped = [StoppedWorker(worker_id=worker_id) for worker_id in worker_ids]
    return StopResponse(success=True, stopped=stopped)
