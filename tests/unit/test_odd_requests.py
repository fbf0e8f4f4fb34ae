"""Requests that two servers could understand in two ways, or that name strange things."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import errors
from gateway_modules.app import create_app
from gateway_modules.client_socket import PARSED_CHARACTERS, check_object
from gateway_modules.server import make_server
from gateway_modules.state import GatewayOptions
from tests.service.processes import free_port
from tests.unit.gateway_client import gateway_config, running_gateway

ANSWERED_S = 10
POST = b"POST /api/queue HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A gateway that serves."""
    port = free_port()
    folder = tmp_path_factory.mktemp("odd")
    config = gateway_config(folder, service={"host": "127.0.0.1", "gateway_port": port})
    server = make_server(create_app(config, GatewayOptions(workers=())), config, None)
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    serving.join()


async def answers(port: int, request: bytes) -> list[bytes]:
    """The status lines of all that the server says to these bytes before it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    writer.write_eof()
    try:
        said = await asyncio.wait_for(reader.read(), ANSWERED_S)
    except ConnectionResetError:
        said = b""
    finally:
        writer.close()
    return [line for line in said.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4",
        b"Content-Length: 4\r\nContent-Length: 5",
        b"Content-Length: +4",
        b"Content-Length: -1",
        b"Content-Length: 4, 4",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding : chunked",
        b"X-Header: a\r\n folded",
        b"X-Header: a\0b",
    ],
)
async def test_a_request_with_two_meanings_is_refused_and_ends_its_connection(
    port: int, headers: bytes
) -> None:
    told = await answers(port, POST % headers + b"0\r\n\r\n" + HIDDEN)
    assert [line.split()[1] for line in told] == [b"400"]


async def test_a_path_that_is_no_text_is_refused(port: int) -> None:
    told = await answers(port, b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert [line.split()[1] for line in told] == [b"400"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/%00",
        "/static/..%2f..%2fconfig.json",
        "/static/%2e%2e/%2e%2e/config.json",
        f"/static/{'x' * 300}.js",
        "/docs/assets/..%2f..%2f__init__.py",
        "/s/%00",
        f"/s/{'x' * 300}",
        f"/api/sessions/chat_1/assets/{'x' * 300}.wav",
        "/api/presets/..%2f..%2f/x/audio",
        "/api/presets/omni/..%2fassistant/audio",
        "/api/assets/ref_audio/..%2fregistry.json/audio",
        "/api/assets/ref_audio/%F0%9F%8E%B5/audio",
        "/api/sessions/%E4%BD%A0%E5%A5%BD",
        "/api/sessions/%D9%A1%D9%A2",
    ],
)
def test_strange_names_are_names_of_nothing(tmp_path: Path, path: str) -> None:
    with running_gateway(gateway_config(tmp_path)) as (http, _):
        answer = http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("token", [r"\ud800", r"\u0000", "😀"])
def test_strange_tokens_sign_nobody_in(tmp_path: Path, token: str) -> None:
    with running_gateway(gateway_config(tmp_path, security={"admin_token": "t"})) as (http, _):
        answer = http.post("/api/login", content=f'{{"token": "{token}"}}'.encode())
    assert answer.status_code in (400, 401, 422)


@pytest.mark.parametrize("text", ['{"a": 1}', ' {"a": 1}\n', '{"a": "%s"}', '\n{"a": "%s"} '])
def test_an_object_passes_however_long_it_is(text: str) -> None:
    long = text.replace("%s", PARSED_CHARACTERS * "x")
    check_object(long, "The body")
    check_object(long.encode(), "The body")


@pytest.mark.parametrize("text", ["", "[]", '{"a": }', '["%s"]', '"%s"', '{"a": "%s"'])
def test_what_is_no_object_is_refused_however_long_it_is(text: str) -> None:
    long = text.replace("%s", PARSED_CHARACTERS * "x")
    for body in (long, long.encode()):
        with pytest.raises(errors.BadJsonError):
            check_object(body, "The body")
