"""A directory, or what pretends to be one, behind a real socket."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Any

from tests.server_builders import LIMIT_S
from xirtam_core.protocol.directory import (
    DirectoryAnchor,
    DirectoryChunk,
    DirectoryHeader,
    DirectoryItem,
    DirectoryUpdate,
    PowSeed,
    PowSolution,
)
from xirtam_core.rpc.directory import Directory, DirectoryBusy
from xirtam_core.rpc.transports import connect
from xirtam_server.transports import http
from xirtam_server.transports.connections import ConnectionLimits, Connections
from xirtam_server.transports.door import Door


@contextlib.asynccontextmanager
async def listening(service: Directory, port: int = 0) -> AsyncGenerator[str]:
    """The URL at which `service` answers."""
    connections = Connections(ConnectionLimits())
    door = Door(service, DirectoryBusy())
    bound = socket.create_server(("127.0.0.1", port))
    app = http.Application({"/": http.RpcEndpoint(door, connections, says_parse_error=True)})
    server = await http.listen(app, bound, connections)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
    finally:
        server.close()
        connections.abort()
        async with asyncio.timeout(LIMIT_S):
            await server.wait_closed()


@contextlib.asynccontextmanager
async def reached(url: str) -> AsyncGenerator[Directory]:
    """The directory at `url`."""
    transport = connect(url)
    try:
        yield Directory.stub(transport, timeout_s=LIMIT_S)
    finally:
        await transport.close()


Change = Callable[[Any], Any]


def same(answer: Any) -> Any:
    return answer


class Between(Directory):
    """Passes calls on to whatever `truth` is at present, and changes answers on the way."""

    def __init__(self, truth: Directory) -> None:
        self.truth = truth
        self.change_anchor: Change = same
        self.change_headers: Change = same
        self.change_chunk: Change = same
        self.chunks_asked: list[int] = []
        self.anchors_asked = 0

    async def get_anchor(self) -> DirectoryAnchor:
        self.anchors_asked += 1
        return self.change_anchor(await self.truth.get_anchor())

    async def get_headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        return self.change_headers(await self.truth.get_headers(first, last))

    async def get_chunk(self, height: int) -> DirectoryChunk:
        self.chunks_asked.append(height)
        return self.change_chunk(await self.truth.get_chunk(height))

    async def get_item(self, key: str) -> DirectoryItem:
        return await self.truth.get_item(key)

    async def get_pow_seed(self) -> PowSeed:
        return await self.truth.get_pow_seed()

    async def insert_update(self, key: str, update: DirectoryUpdate, solution: PowSolution) -> None:
        await self.truth.insert_update(key, update, solution)
