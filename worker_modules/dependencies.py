"""What endpoints ask for by type."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from worker_modules.service import WorkerService


def _service(connection: HTTPConnection) -> WorkerService:
    return connection.app.state.service


Service = Annotated[WorkerService, Depends(_service)]
