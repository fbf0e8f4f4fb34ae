"""Whatever is wrong with a request is named, on both ways in, and the worker goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.fake_worker import FakeWorker, fake_config
from tests.unit.worker_client import HELLO, ready, until_closed
from tests.wire_media import audio_data, encode, image_data, image_file, picture

LIMITS = {"audio_s": 2, "image_megapixels": 0.01, "messages": 3, "max_new_tokens": 1000}
JSON_TYPE = {"content-type": "application/json"}
DEEP = '{"messages":' + "[" * 40 + "]" * 40 + "}"


@pytest.fixture
def client() -> Iterator[TestClient]:
    config = fake_config(**LIMITS)
    with ready(FakeWorker(config), config) as client:
        yield client
        assert client.post("/chat", json=HELLO).json()["success"], "the worker must stay usable"


def with_item(item: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, item]}]}


def image(data: str) -> dict[str, Any]:
    return with_item({"type": "image", "data": data})


def audio(data: str) -> dict[str, Any]:
    return with_item({"type": "audio", "data": data})


DATA = "messages[0].content[1].data"
BAD_REQUESTS: dict[str, tuple[dict[str, Any], int, str, float | None]] = {
    "messages missing": ({}, 422, "messages", None),
    "messages empty": ({"messages": []}, 422, "messages", 1),
    "messages no list": ({"messages": "hello"}, 422, "messages", None),
    "too many messages": ({"messages": HELLO["messages"] * 4}, 413, "messages", 3),
    "unknown role": (
        {"messages": [{"role": "robot", "content": "a"}]},
        422,
        "messages[0].role",
        None,
    ),
    "assistant first": (
        {"messages": [{"role": "assistant", "content": "a"}]},
        422,
        "messages[0].role",
        None,
    ),
    "unknown content type": (
        with_item({"type": "smell"}),
        422,
        "messages[0].content[1].type",
        None,
    ),
    "image without data": (with_item({"type": "image"}), 422, DATA, None),
    "image not base64": (image("%%%"), 422, DATA, None),
    "image not decodable": (image(encode(b"not a picture")), 422, DATA, None),
    "image damaged": (image(encode(image_file(picture(90, 90))[:150])), 422, DATA, None),
    "image too large": (image(image_data(101, 100)), 413, DATA, 0.01),
    "audio not base64": (audio("AA=A"), 422, DATA, None),
    "audio empty": (audio(""), 422, DATA, None),
    "audio cut in a sample": (audio(encode(bytes(4001))), 422, DATA, None),
    "audio with NaN": (
        audio(encode(np.array([0, np.nan], np.float32).tobytes())),
        422,
        DATA,
        None,
    ),
    "audio at another rate": (
        with_item({"type": "audio", "data": "AAAA", "sample_rate": 8000}),
        422,
        "messages[0].content[1].sample_rate",
        None,
    ),
    "audio too long": (audio(audio_data(2.1)), 413, DATA, 2),
    "video not decodable": (
        with_item({"type": "video", "data": encode(b"no video")}),
        422,
        DATA,
        None,
    ),
    "no new tokens": (
        HELLO | {"generation": {"max_new_tokens": 0}},
        422,
        "generation.max_new_tokens",
        1,
    ),
    "too many new tokens": (
        HELLO | {"generation": {"max_new_tokens": 5000}},
        422,
        "generation.max_new_tokens",
        4096,
    ),
    "more new tokens than configured": (
        HELLO | {"generation": {"max_new_tokens": 1001}},
        413,
        "generation.max_new_tokens",
        1000,
    ),
    "temperature": (
        HELLO | {"generation": {"temperature": 2.5}},
        422,
        "generation.temperature",
        2,
    ),
}


@pytest.mark.parametrize(
    ("body", "status", "field", "limit"), BAD_REQUESTS.values(), ids=BAD_REQUESTS
)
def test_a_bad_request_names_field_and_limit(
    client: TestClient, body: dict[str, Any], status: int, field: str, limit: float | None
) -> None:
    answer = client.post("/chat", json=body)
    assert answer.status_code == status
    told = answer.json()
    assert (told["success"], told["field"], told.get("limit")) == (False, field, limit)
    assert told["code"] == ("too_large" if status == 413 else "bad_message")
    assert told["detail"] == told["error"]


@pytest.mark.parametrize(
    ("body", "status", "field", "limit"), BAD_REQUESTS.values(), ids=BAD_REQUESTS
)
def test_a_bad_socket_request_names_field_and_limit(
    client: TestClient, body: dict[str, Any], status: int, field: str, limit: float | None
) -> None:
    with client.websocket_connect("/ws/chat") as websocket:
        websocket.send_json(body)
        (told,), close_code = until_closed(websocket)
    assert (told["type"], told["field"], told.get("limit")) == ("error", field, limit)
    assert close_code == (1009 if status == 413 else 1007)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "{", "[1, 2]", '"text"', "null", '{"a": NaN}', '{"a": 1} b', DEEP],
)
def test_what_is_no_json_object_is_told(client: TestClient, text: str) -> None:
    answer = client.post("/chat", content=text, headers=JSON_TYPE)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")
    with client.websocket_connect("/ws/chat") as websocket:
        websocket.send_text(text)
        (told,), close_code = until_closed(websocket)
    assert (told["code"], close_code) == ("bad_json", 1007)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_must_be_announced_as_json(client: TestClient, content_type: str) -> None:
    answer = client.post("/chat", content=json.dumps(HELLO), headers={"content-type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")


def test_a_binary_frame_is_refused(client: TestClient) -> None:
    with client.websocket_connect("/ws/chat") as websocket:
        websocket.send_bytes(b"\x00\x01")
        (told,), close_code = until_closed(websocket)
    assert (told["code"], close_code) == ("bad_message", 1003)


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(announced: bool) -> None:
    config = fake_config(chat_body_mb=0.01)
    pieces = (b" " * 1024 for _ in range(20))
    with ready(FakeWorker(config), config) as client:
        content = b"".join(pieces) if announced else pieces
        answer = client.post("/chat", content=content, headers=JSON_TYPE)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert (answer.json()["field"], answer.json()["limit"]) == ("body", 0.01)
        assert client.post("/chat", json=HELLO).json()["success"]
