"""`POST /chat`: a whole conversation in, one answer out."""

from __future__ import annotations

import asyncio
import logging
import time

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from core.errors import InferenceError
from core.logs import event
from core.processors import ChatTask, ChatView, chat_response
from core.processors.sound import sound_of
from core.schemas import ChatRequest, ChatResponse, WorkerStatus
from core.tasks import cancel_and_wait
from worker_modules.dependencies import Service
from worker_modules.metrics import count_tokens
from worker_modules.recorded_turns import RecordedTurns
from worker_modules.service import WorkerService, new_session_id
from worker_modules.wire import parse_object, read_body, validate

logger = logging.getLogger(__name__)
router = APIRouter()

CLIENT_CLOSED_REQUEST = 499  # nobody reads this answer; it is for the log


@router.post("/chat", response_model=ChatResponse)
async def chat(request: Request, service: Service) -> Response:
    """Answer a `ChatRequest`. A client that goes away ends its generation at the next token."""
    view = service.chat_view
    try:
        body = await read_body(request, service.config.limits.chat_body_mb)
    except ClientDisconnect:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    answering = asyncio.create_task(_answer(service, view, body))
    leaving = asyncio.create_task(_client_leaves(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            return JSONResponse(answering.result().model_dump(mode="json"))
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    finally:
        await cancel_and_wait((answering, leaving))


async def _client_leaves(request: Request) -> None:
    """Returns when the connection is lost; the body has been read, so nothing else can come."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


async def _answer(service: WorkerService, view: ChatView, body: bytearray) -> ChatResponse:
    started_s = time.monotonic()
    session_id = new_session_id("chat")
    task, recorded = await _read(service, view, body)
    try:
        async with service.slot(WorkerStatus.BUSY_CHAT, session_id) as slot:
            events = [item async for item in slot.start(lambda: view.run(task))]
        response = chat_response(task, events, started_s)
        recorded.add_answer(response, sound_of(events))
    except InferenceError as error:
        logger.error(event("chat_failed", session_id=session_id, reason=error.message))
        return ChatResponse(text="", success=False, error=error.message)
    except asyncio.CancelledError:
        logger.info(event("chat_abandoned", session_id=session_id))
        raise
    finally:
        recorded.close()
    response.recording_session_id = recorded.session_id
    response.warning = recorded.warning(response.warning)
    counts = response.token_stats or {}
    count_tokens("chat", counts.get("input_tokens", 0), counts.get("generated_tokens", 0))
    logger.info(
        event("chat_done", session_id=session_id, duration_ms=response.duration_ms, **counts)
    )
    return response


async def _read(
    service: WorkerService, view: ChatView, body: bytearray
) -> tuple[ChatTask, RecordedTurns]:
    max_depth = service.config.limits.json_depth
    task, request = await asyncio.to_thread(_read_task, view, body, max_depth)
    return task, service.recordings.chat(request)


def _read_task(view: ChatView, body: bytearray, max_depth: int) -> tuple[ChatTask, ChatRequest]:
    """Parse, check and decode; large payloads are let go of on the way."""
    request = validate(ChatRequest, parse_object(body, max_depth))
    body.clear()
    request.tts.output_path = None  # nothing is written to the server for a client
    return view.read(request), request
