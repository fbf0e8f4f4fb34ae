"""`POST /api/chat`: one request, one answer, on whichever worker is next."""

from __future__ import annotations

from http import HTTPStatus

import httpx
from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from core import errors
from core.schemas import ChatRequest, ChatResponse
from gateway_modules.client_socket import MEBI, check_object, parse_object
from gateway_modules.http_request import read_body, run_while_connected
from gateway_modules.lease import Lease
from gateway_modules.openapi import json_body, refusals
from gateway_modules.state import Gateway, GatewayDep, require_api_key, require_same_origin
from gateway_modules.upstream import post_to_worker

router = APIRouter(prefix="/api", tags=["chat"])

APP_ID = "turnbased"
REQUEST_TYPE = "chat"
BUSY_RETRY_S = 5


class QueuedChatResponse(ChatResponse):
    """The worker's answer and how long the request waited for a worker."""

    queue_wait_ms: int = Field(0, description="Milliseconds spent waiting for a worker.")
    estimated_queue_wait_s: float | None = Field(0.0, description="The estimate given at arrival.")


@router.post(
    "/chat",
    response_model=QueuedChatResponse,
    openapi_extra=json_body(ChatRequest),
    responses=refusals(401, 403, 413, 422, 500, 502, 503, 504),
    dependencies=[Depends(require_same_origin), Depends(require_api_key)],
)
async def chat(request: Request, gateway: GatewayDep) -> Response:
    """Answer a whole conversation at once.

    A failure inside the model is a 200 with `success: false`. 422 names the field at fault, 503
    says when to try again, 502 means that the worker was lost and 504 that it took too long.
    """
    gateway.apps.require(APP_ID)
    body = await read_body(request, int(gateway.config.limits.chat_body_mb * MEBI))
    check_object(body, "The body")
    gateway.require_ready()
    client = gateway.access.client_of(request)
    return await run_while_connected(
        request, answer_chat(gateway, client, body, request.scope["request_id"])
    )


async def answer_chat(
    gateway: Gateway, client: str | None, body: bytes, request_id: str
) -> Response:
    """Wait for a worker, forward the body as it is, and translate the worker's answer."""
    async with gateway.lease(client, REQUEST_TYPE) as lease:
        while True:
            worker = await lease.worker()
            try:
                answer = await post_to_worker(gateway.pool.http, worker, "/chat", body, request_id)
            except errors.WorkerLostError:
                lease.move_from_lost_worker()
            except errors.SessionTimeoutError:
                lease.leave_worker_busy()
                raise
            else:
                return client_answer(answer, lease)


def client_answer(answer: httpx.Response, lease: Lease) -> Response:
    """A worker's refusal goes through as it is; its answer gains the two queue fields."""
    if answer.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        lease.leave_worker_busy()
        retry_after = answer.headers.get("Retry-After", str(BUSY_RETRY_S))
        return _forwarded(answer, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": retry_after})
    if answer.status_code != HTTPStatus.OK:
        return _forwarded(answer, HTTPStatus(answer.status_code), {})
    content = parse_object(answer.content, "The worker's answer")
    if content.get("success", True):
        lease.complete()
    content["queue_wait_ms"] = lease.queue_wait_ms
    content["estimated_queue_wait_s"] = lease.estimated_wait_s
    return JSONResponse(content)


def _forwarded(answer: httpx.Response, status: HTTPStatus, headers: dict[str, str]) -> Response:
    media_type = answer.headers.get("content-type", "application/json")
    return Response(answer.content, status_code=status, headers=headers, media_type=media_type)
