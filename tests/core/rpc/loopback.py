"""Small servers on loopback, for tests of transports: each says exactly what a test tells it to say."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec

LIMIT_S = 5.0
"""How long a test waits for what must happen."""


def request(call_id: str, method: str = "v1_echo") -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": [], "id": call_id})


def answer(call_id: str, result: object = None) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "result": result, "id": call_id})


def id_of(line: bytes) -> str:
    return msgspec.json.decode(line)["id"]


class Peer:
    """One accepted connection, from the server's side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def line(self) -> bytes:
        """The next line that is not empty; b"" when the client has gone."""
        while (line := await self.reader.readline()) == b"\n":
            pass
        return line

    async def silence(self) -> None:
        """Says nothing until the client has gone."""
        await self.reader.read()

    async def say(self, *lines: bytes) -> None:
        self.writer.write(b"".join(line + b"\n" for line in lines))
        await self.writer.drain()

    async def http_request(self) -> tuple[str, bytes] | None:
        """Head and body of the next request; None when the client has gone."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:
            return None
        size = next(int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length"))
        return head, await self.reader.readexactly(size)

    async def say_http(self, body: bytes, status: str = "200 OK", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self.writer.drain()


class Loopback:
    """A server that runs `behaviour` for each connection, and counts them."""

    def __init__(self, behaviour: Callable[[Peer], Awaitable[None]]) -> None:
        self._behaviour = behaviour
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = 0
        self.ended = 0

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        try:
            await self._behaviour(Peer(reader, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.ended += 1
            self._tasks.discard(task)
            writer.transport.abort()

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=2**24)

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await self._server.wait_closed()


@asynccontextmanager
async def serving(behaviour: Callable[[Peer], Awaitable[None]]) -> AsyncGenerator[Loopback, None]:
    server = Loopback(behaviour)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def free_port() -> int:
    """A port on which nobody listens."""
    server = Loopback(lambda _: asyncio.sleep(0))
    await server.start()
    port = server.port
    await server.stop()
    return port


async def until(condition: Callable[[], bool]) -> None:
    """Waits for `condition`, within the limit."""
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110 - conditions are any a test may have
            await asyncio.sleep(0.002)
