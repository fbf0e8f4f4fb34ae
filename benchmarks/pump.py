"""Passes frames between clients and a server and does nothing else, to compare the gateway with.

python benchmarks/pump.py --port 9000 --target 127.0.0.1:22400 [--certificate C --key K]
"""

from __future__ import annotations

import argparse
import asyncio
import ssl

import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

MAX_FRAME_BYTES = 128 * 1024 * 1024
Connection = ClientConnection | ServerConnection


async def forward(source: Connection, target: Connection) -> None:
    try:
        while True:
            await target.send(await source.recv(decode=True))
    except ConnectionClosed:
        await target.close()


async def pump(options: argparse.Namespace) -> None:
    async def take(client: ServerConnection) -> None:
        path = client.request.path if client.request else "/"
        async with connect(
            f"ws://{options.target}{path}", compression=None, max_size=MAX_FRAME_BYTES, proxy=None
        ) as server:
            await asyncio.gather(forward(client, server), forward(server, client))

    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.key)
    async with serve(
        take,
        "127.0.0.1",
        options.port,
        ssl=context,
        compression=None,
        max_size=MAX_FRAME_BYTES,
    ) as server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", required=True, help="address of the server, as host:port")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    uvloop.run(pump(parser.parse_args()))


if __name__ == "__main__":
    main()
