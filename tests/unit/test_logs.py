"""One line an event, readable by people and by programs."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from core.logs import REQUEST_ID, event
from worker_modules.request_ids import RequestIds


def test_fields_follow_the_event_and_none_is_left_out() -> None:
    line = event("done", session_id="chat_1", n_tokens=3, load_s=1.25, field=None)
    assert line == "event=done session_id=chat_1 n_tokens=3 load_s=1.2"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("two words", '"two words"'),
        ("", '""'),
        ("a\nb", '"a\\nb"'),
        ('a"b', '"a\\"b"'),
        ("a=b", '"a=b"'),
        ("a\x1b[2J", '"a\\u001b[2J"'),
        ("a\x9bm", '"a\\u009bm"'),
        ("a\u202eb", '"a\\u202eb"'),
        ("你好", "你好"),
    ],
)
def test_a_value_cannot_forge_fields_or_lines(value: str, written: str) -> None:
    assert event("x", reason=value) == f"event=x reason={written}"


def test_a_field_may_be_called_name() -> None:
    assert event("x", name="y") == "event=x name=y"


def test_what_is_logged_for_a_request_carries_its_id() -> None:
    token = REQUEST_ID.set("r1")
    try:
        assert event("x", code=1) == "event=x code=1 request_id=r1"
        assert event("x", request_id="r2") == "event=x request_id=r2"
    finally:
        REQUEST_ID.reset(token)


async def test_a_worker_logs_under_the_id_that_the_gateway_gave() -> None:
    logged: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        logged.append(event("x"))

    async def receive() -> Message:
        raise AssertionError("nothing is asked for")

    async def send(message: Message) -> None:
        raise AssertionError("nothing is sent")

    for scope in (
        {"type": "websocket", "headers": [(b"x-request-id", b"r1")]},
        {"type": "http", "headers": []},
        {"type": "lifespan"},
    ):
        await asyncio.create_task(RequestIds(app)(scope, receive, send))
    assert logged == ["event=x request_id=r1", "event=x", "event=x"]
