"""Keeping this worker in the pool of a gateway, on this machine or another one."""

from __future__ import annotations

import asyncio
import logging
import ssl

import httpx

from core.logs import event
from core.schemas import WORKER_SECRET_HEADER, WorkerRegistered, WorkerRegistration
from core.tasks import cancel_and_wait

logger = logging.getLogger(__name__)

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 30.0
REQUEST_TIMEOUT_S = 3.0


class Registration:
    """Registers, sends heartbeats, registers again with a gateway that was restarted, and leaves.

    Args:
        gateway_url: `https://host:port`; its certificate is checked against those of the system
            and of the environment variable SSL_CERT_FILE.
        place: where the gateway reaches this worker.
    """

    def __init__(
        self,
        gateway_url: str,
        secret: str,
        place: WorkerRegistration,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._place = place
        self._http = httpx.AsyncClient(
            base_url=gateway_url,
            headers={WORKER_SECRET_HEADER: secret},
            timeout=REQUEST_TIMEOUT_S,
            verify=ssl.create_default_context(),
            transport=transport,
            trust_env=False,
        )
        self._worker_id: str | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Register in the background, as often as it takes."""
        self._task = asyncio.create_task(self._stay(), name="registration")

    async def stop(self) -> None:
        """Tell the gateway to send nothing more."""
        if self._task is not None:
            await cancel_and_wait([self._task])
        if self._worker_id is not None:
            try:
                await self._call("DELETE", f"/api/workers/{self._worker_id}")
            except httpx.HTTPError as error:
                logger.warning(event("not_deregistered", reason=_reason(error)))
        await self._http.aclose()

    async def _stay(self) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            try:
                pause_s = await self._tell()
                retry_s = FIRST_RETRY_S
            except (httpx.HTTPError, ValueError) as error:
                logger.warning(event("not_registered", reason=_reason(error), retry_s=retry_s))
                pause_s = retry_s
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
            await asyncio.sleep(pause_s)

    async def _tell(self) -> float:
        """One heartbeat, or a registration where there is none; the time until the next one."""
        if self._worker_id is not None:
            try:
                answer = await self._call("PUT", f"/api/workers/{self._worker_id}/heartbeat")
            except httpx.HTTPStatusError as error:
                if error.response.status_code != httpx.codes.NOT_FOUND:
                    raise
                self._worker_id = None
                return await self._tell()
        else:
            body = self._place.model_dump_json()
            answer = await self._call("POST", "/api/workers/register", body)
        registered = WorkerRegistered.model_validate_json(answer.content)
        if self._worker_id is None:
            self._worker_id = registered.worker_id
            logger.info(event("registered", worker=registered.worker_id))
        return registered.heartbeat_s

    async def _call(self, method: str, path: str, body: str | None = None) -> httpx.Response:
        headers = {"Content-Type": "application/json"} if body else {}
        answer = await self._http.request(method, path, content=body, headers=headers)
        return answer.raise_for_status()


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"status {error.response.status_code}: {error.response.text[:200]}"
    return f"{type(error).__name__}: {error}"
