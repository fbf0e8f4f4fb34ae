"""Clients that open connections and then take their time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Thread

import pytest
from fastapi import WebSocket

from gateway_modules import body_pace, http_protocol
from gateway_modules.app import create_app
from gateway_modules.client_socket import ClientSocket
from gateway_modules.server import make_server
from gateway_modules.state import GatewayOptions
from tests.service.processes import free_port
from tests.unit.gateway_client import gateway_config

PATIENCE_S = 0.2
MUCH_LATER_S = 10 * PATIENCE_S
GET = b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = (
    b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)
UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
FRAME = b"\x81\xff" + (1 << 16).to_bytes(8, "big") + bytes(4) + b"x" * (1 << 16)
CLOSED_AS_STALLED = b"\x88\x02" + (1008).to_bytes(2, "big")


class Client:
    """One connection, written to by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def open_socket(self, path: bytes) -> None:
        self.writer.write(UPGRADE % path)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101")

    async def trickle(self, piece: bytes) -> None:
        """Send the piece again and again until the connection is closed, however it is."""
        while not (self.reader.at_eof() or self.reader.exception()):
            self.writer.write(piece)
            await asyncio.sleep(PATIENCE_S / 10)

    async def said(self, until: bytes = b"the end") -> bytes:
        """All that came until these bytes, or until the connection was closed, however it was."""
        heard = b""
        try:
            while piece := await asyncio.wait_for(self.reader.read(1 << 16), MUCH_LATER_S):
                heard += piece
                if heard.endswith(until):
                    break
        except ConnectionError:
            pass
        return heard


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A gateway with little patience, which says on `/flood` as much as one takes."""
    port = free_port()
    service = {"host": "127.0.0.1", "gateway_port": port}
    folder = tmp_path_factory.mktemp("slow_clients")
    config = gateway_config(folder, service=service, sessions={"pong_wait_s": PATIENCE_S})
    app = create_app(config, GatewayOptions(workers=()))
    app.add_api_websocket_route("/flood", flood)
    app.add_api_websocket_route("/late", take_late)
    server = make_server(app, config, None)
    serving = Thread(target=server.run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_protocol, "HEADERS_S", PATIENCE_S)
        patch.setattr(http_protocol, "LINGER_S", PATIENCE_S)
        patch.setattr(http_protocol, "TAKES_NOTHING_S", 4 * PATIENCE_S)
        patch.setattr(body_pace, "GRACE_S", PATIENCE_S)
        serving.start()
        while not server.started:
            time.sleep(0.01)
        yield port
        server.should_exit = True
        serving.join()


async def flood(websocket: WebSocket) -> None:
    async def talk(client: ClientSocket) -> int:
        while True:
            await client.send_frame("x" * 100_000)

    await websocket.app.state.gateway.sockets.serve(websocket, talk)


async def take_late(websocket: WebSocket) -> None:
    await websocket.accept()
    await asyncio.sleep(2 * PATIENCE_S)
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


async def test_who_says_nothing_is_dropped(port: int) -> None:
    async with connected(port) as client:
        assert await client.said() == b""


@pytest.mark.parametrize("piece", [b"X-Header: 1\r\n", b"x"])
async def test_headers_that_never_end_are_dropped(port: int, piece: bytes) -> None:
    async with connected(port) as client:
        client.writer.write(GET[:-2])
        trickling = asyncio.create_task(client.trickle(piece))
        assert await client.said() == b""
        await trickling


async def test_empty_lines_after_an_answer_keep_no_connection(port: int) -> None:
    async with connected(port) as client:
        client.writer.write(GET)
        trickling = asyncio.create_task(client.trickle(b"\r\n"))
        assert (await client.said()).startswith(b"HTTP/1.1 200")
        await trickling


async def test_headers_may_not_grow_for_ever(port: int) -> None:
    async with connected(port) as client:
        client.writer.write(GET[:-2])
        for _ in range(5):
            client.writer.write(b"X-Header: " + b"x" * 20_000 + b"\r\n")
            await asyncio.sleep(0.01)
        assert (await client.said()).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("path", [b"/api/chat", b"/api/streaming/stop", b"/api/login"])
async def test_a_body_that_trickles_ends_its_request(port: int, path: bytes) -> None:
    async with connected(port) as client:
        client.writer.write(POST % path)
        trickling = asyncio.create_task(client.trickle(b" "))
        heard = await client.said()
        await trickling
    assert heard.startswith(b"HTTP/1.1 408")
    assert b'"idle_timeout"' in heard


async def test_a_refused_body_cannot_go_on_trickling(port: int) -> None:
    async with connected(port) as client:
        client.writer.write(POST % b"/api/absent")
        trickling = asyncio.create_task(client.trickle(b" "))
        assert (await client.said()).startswith(b"HTTP/1.1 404")
        await trickling


async def test_patience_is_for_each_request_of_a_connection(port: int) -> None:
    async with connected(port) as client:
        for _ in range(4):
            await asyncio.sleep(0.6 * PATIENCE_S)
            client.writer.write(GET)
            answer = await client.reader.readuntil(b"}")
            assert answer.startswith(b"HTTP/1.1 200")


async def test_a_socket_on_a_used_connection_stays(port: int) -> None:
    async with connected(port) as client:
        client.writer.write(GET)
        await client.reader.readuntil(b"}")
        await client.open_socket(b"/ws/chat")
        await client.reader.readuntil(b"not_ready")
        await asyncio.sleep(2 * PATIENCE_S)
        assert not client.reader.at_eof()


async def test_who_sends_faster_than_is_taken_has_to_wait(port: int) -> None:
    async with connected(port) as client:
        await client.open_socket(b"/late")
        client.writer.write(FRAME * 500)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.writer.drain(), PATIENCE_S)
        await asyncio.wait_for(client.writer.drain(), MUCH_LATER_S)


async def test_who_takes_nothing_and_goes_on_is_told_a_code(port: int) -> None:
    async with connected(port) as client:
        await client.open_socket(b"/flood")
        await asyncio.sleep(2 * PATIENCE_S)
        assert CLOSED_AS_STALLED in await client.said(until=CLOSED_AS_STALLED)


async def test_who_takes_nothing_for_ever_is_dropped(port: int) -> None:
    async with connected(port) as client:
        await client.open_socket(b"/flood")
        await asyncio.sleep(8 * PATIENCE_S)
        assert CLOSED_AS_STALLED not in await client.said()
