"""One exception family, told to clients in one place."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core import errors
from core.errors import (
    InvalidFieldError,
    RateLimitedError,
    ServiceError,
    TooLargeError,
    field_path,
    http_body,
    http_headers,
    invalid_field,
    socket_message,
)
from core.schemas import ChatRequest

ALL_ERRORS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, ServiceError)
]
MACHINE_CODES = set(
    "bad_json bad_message unknown_type app_disabled unauthorized origin_forbidden rate_limited "
    "queue_full not_ready cancelled worker_lost worker_busy inference_error too_large idle_timeout "
    "session_timeout session_active unsupported".split()
)


def violation(body: dict[str, Any]) -> InvalidFieldError:
    with pytest.raises(ValidationError) as caught:
        ChatRequest.model_validate(body)
    return invalid_field(caught.value)


def test_the_family_uses_exactly_the_published_codes() -> None:
    assert {error.code for error in ALL_ERRORS} == MACHINE_CODES


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_an_http_status_and_a_close_code(error: type[ServiceError]) -> None:
    assert 400 <= error.http_status < 600
    assert error.close_code in {1000, 1001, 1003, 1007, 1008, 1009, 1011, 1013}


def test_an_http_body_says_what_is_wrong_and_where() -> None:
    error = TooLargeError("too long", field="messages", limit=8192)
    assert http_body(error) == {
        "detail": "too long",
        "error": "too long",
        "code": "too_large",
        "success": False,
        "field": "messages",
        "limit": 8192,
    }


def test_a_socket_message_says_the_same() -> None:
    error = TooLargeError("too long", field="messages", limit=8192)
    assert socket_message(error) == {
        "type": "error",
        "error": "too long",
        "message": "too long",
        "code": "too_large",
        "field": "messages",
        "limit": 8192,
    }


def test_retry_after_is_whole_seconds_and_only_where_known() -> None:
    assert http_headers(RateLimitedError("slow down", retry_after_s=0.2)) == {"Retry-After": "1"}
    assert http_headers(RateLimitedError("slow down")) == {}


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("messages",), "messages"),
        (("messages", 0, "role"), "messages[0].role"),
        (("messages", 2, "content", "string"), "messages[2].content"),
        (("messages", 0, "content", "list", 1, "text", "text"), "messages[0].content[1].text"),
        (("generation", "top_p"), "generation.top_p"),
        ((), ""),
    ],
)
def test_field_paths_read_like_code(location: tuple[int | str, ...], path: str) -> None:
    assert field_path(location) == path


@pytest.mark.parametrize(
    ("body", "field", "limit"),
    [
        ({}, "messages", None),
        ({"messages": []}, "messages", 1),
        ({"messages": [{"role": "robot", "content": ""}]}, "messages[0].role", None),
        ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content", None),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
            None,
        ),
        (
            {"messages": [{"role": "user", "content": [{}]}]},
            "messages[0].content[0].type",
            None,
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "audio"}]}]},
            "messages[0].content[0].data",
            None,
        ),
        (
            {"messages": [{"role": "user", "content": "a"}], "generation": {"max_new_tokens": 0}},
            "generation.max_new_tokens",
            1,
        ),
        (
            {"messages": [{"role": "user", "content": "a"}], "generation": {"temperature": 9}},
            "generation.temperature",
            2,
        ),
    ],
)
def test_a_violation_names_the_field_and_its_limit(
    body: dict[str, Any], field: str, limit: float | None
) -> None:
    error = violation(body)
    assert (error.field, error.limit) == (field, limit)
    assert error.message.startswith(field)


def test_a_violation_does_not_repeat_the_payload() -> None:
    secret = "c2VjcmV0"
    body = {"messages": [{"role": "user", "content": [{"type": "smell", "data": secret}]}]}
    assert secret not in violation(body).message
