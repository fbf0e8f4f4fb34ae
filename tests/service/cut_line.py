"""A line to a port on this machine that can go dead without either end being told."""

from __future__ import annotations

import asyncio
from types import TracebackType

CHUNK_BYTES = 65536


class CutLine:
    """An async context manager that forwards connections to its `port` until it is `cut`."""

    port: int

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> CutLine:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self) -> None:
        """From now on nothing gets through, and nothing is closed."""
        self._is_whole.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            forwarding = asyncio.create_task(self._forward(source, target))
            self._connections.add(forwarding)

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(CHUNK_BYTES):
                await self._is_whole.wait()
                target.write(data)
                await target.drain()
        finally:
            target.close()
